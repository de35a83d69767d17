import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineExtractor } from '../../src/engines';
import { EnvironmentError } from '../../src/errors';
import { contentLoss, type Loss } from '../../src/losses';
import { anyPlatform } from '../../src/platform';
import { expectNoLeak, tinyExtractor } from '../../src/testing';
import { KeptImage } from '../../src/transfer/kept-image';
import { readSettings, type Settings, type StyleTransferOptions } from '../../src/transfer/options';
import { paintStages } from '../../src/transfer/paint-stages';
import { planStages } from '../../src/transfer/plan';
import type { LossTargets } from '../../src/transfer/preset-loss';
import type { StyleTransferProgress } from '../../src/transfer/progress';
import { ProgressChannel } from '../../src/transfer/progress-channel';
import { factsOf } from '../../src/transfer/run-facts';
import type { Schedule } from '../../src/transfer/schedule';
import type { StageInputs } from '../../src/transfer/stage';
import { styleTransfer } from '../../src/transfer/style-transfer';
import '../support/backends';
import { noise } from '../support/images';

const stage = (width: number, height: number, iterations = 3) => ({
  width,
  height,
  iterations,
  maxEvaluations: Infinity,
  scale: width / 32,
});
const stages: Schedule = [stage(16, 12), stage(32, 24, 2)];

const events: StyleTransferProgress[] = [];
let inputs: StageInputs;

beforeAll(async () => {
  await tf.setBackend('cpu');
  const settings: Settings = readSettings(anyPlatform, { iterations: 3 }, undefined, undefined);
  const extractor = tinyExtractor();
  inputs = {
    settings,
    extractor,
    facts: factsOf(extractor),
    content: noise(24, 32, 1),
    styles: [
      { image: noise(18, 18, 2), weight: 0.75 },
      { image: noise(20, 16, 3), weight: 0.25 },
    ],
    memory: planStages(settings, extractor, stages, { width: 20, height: 20 }, Infinity),
    kept: new KeptImage(),
    progress: new ProgressChannel((event) => void events.push(event), undefined),
  };
});

describe('stages', () => {
  it('paint at each size in turn, from the image of the one before, and leave only the last', async () => {
    const start = noise(6, 8, 4);
    const painted = await expectNoLeak(async () => {
      const { image, ...rest } = await paintStages(inputs, stages, start);
      return { image, rest };
    });
    expect(painted.image.shape).toEqual([24, 32, 3]);
    expect(painted.rest).toMatchObject({ iterations: 5, stopReason: 'maxIterations' });
    expect(painted.rest.history).toHaveLength(7);
    expect(Object.keys(painted.rest.terms)).toEqual(['content', 'perceptual', 'style']);
    const starts = events.filter((event) => event.type === 'start');
    expect(starts.map(({ stage }) => stage)).toEqual([
      { index: 0, count: 2, width: 16, height: 12 },
      { index: 1, count: 2, width: 32, height: 24 },
    ]);
    const steps = events.filter((event) => event.type === 'step');
    expect(steps.map(({ stage, iteration, iterations }) => [stage.index, iteration, iterations])).toEqual([
      [0, 0, 3],
      [0, 1, 3],
      [0, 2, 3],
      [0, 3, 3],
      [1, 0, 2],
      [1, 1, 2],
      [1, 2, 2],
    ]);
    expect(painted.rest.history.map(({ stage, iteration }) => [stage.index, iteration])).toEqual(
      steps.map(({ stage, iteration }) => [stage.index, iteration]),
    );
    for (const key of ['done', 'elapsedMs'] as const)
      expect(steps.map((step) => step[key])).toEqual(steps.map((step) => step[key]).sort((a, b) => a - b));
    expect(steps.at(-1)).toMatchObject({ done: 1, secondsLeft: 0 });
    expect(start.isDisposed).toBe(false);
    painted.image.dispose();
  });

  it('end each by itself where `stopWhen` says so', async () => {
    const stopWhen = { improvement: 0.999, over: 1 };
    const settings = { ...inputs.settings, stopWhen };
    const { image, iterations, stopReason } = await paintStages(
      { ...inputs, settings },
      [stage(16, 12, 20), stage(32, 24, 20)],
      inputs.content,
    );
    image.dispose();
    expect({ iterations, stopReason }).toEqual({ iterations: 2, stopReason: 'stopWhen' });
  });

  it('keep the size of the styles relative to the painted image', async () => {
    const sizes: (readonly number[])[] = [];
    const extractor: EngineExtractor = {
      ...inputs.extractor,
      gramMatrices: undefined,
      gramMatricesInTurns: undefined,
      extractEach: undefined,
      extract(image, layers) {
        if (layers.length === 5) sizes.push(image.shape);
        return inputs.extractor.extract(image, layers);
      },
    };
    const { image } = await paintStages({ ...inputs, extractor }, stages, inputs.content);
    // Half of 18 x 18 and 20 x 16 would be less than the least size, 16.
    expect(sizes).toEqual([
      [16, 16, 3],
      [16, 13, 3],
      [18, 18, 3],
      [20, 16, 3],
    ]);
    image.dispose();
  });
});

describe('a run of several sizes', () => {
  let extractor: EngineExtractor;
  let content: tf.Tensor3D;
  let style: tf.Tensor3D;
  beforeAll(() => {
    [extractor, content, style] = [tinyExtractor(), noise(24, 32, 1), noise(18, 18, 2)];
  });
  const scales = [
    { size: 16, iterations: 3 },
    { size: 32, iterations: 2 },
  ];

  it('calls a function that makes a loss once a stage, with images of its size', async () => {
    const sizes: (readonly number[])[] = [];
    const { image } = await styleTransfer(content, style, {
      extractor,
      scales,
      styleSize: 64,
      loss({ extractor, content, style }) {
        sizes.push(content.shape, style.shape);
        return contentLoss(extractor.extract(content, ['relu1_1']));
      },
    });
    expect(image.shape).toEqual([24, 32, 3]);
    expect(sizes).toEqual([
      [12, 16, 3],
      [32, 32, 3],
      [24, 32, 3],
      [64, 64, 3],
    ]);
  });

  it('of one stage gives the bits of one size', async () => {
    const options = { extractor, iterations: 3, size: 32 } as const;
    const results = [
      await styleTransfer(content, style, options),
      await styleTransfer(content, style, { ...options, scales: 1 }),
      await styleTransfer(content, style, { extractor, scales: [{ size: 32, iterations: 3 }] }),
    ];
    const [auto, single, list] = await Promise.all(results.map(({ image }) => image.data()));
    expect(single).toEqual(auto);
    expect(list).toEqual(auto);
  });

  /** Runs until `onProgress` or the loss ends it; returns the events and the image of the last one. */
  async function interrupted(options: StyleTransferOptions) {
    const seen: StyleTransferProgress[] = [];
    let image: tf.Tensor3D | undefined;
    let error: unknown;
    const onProgress = (event: StyleTransferProgress) => {
      seen.push(event);
      if (event.type === 'interrupted') image = event.image();
      return options.onProgress?.(event);
    };
    await expectNoLeak(async () => {
      await styleTransfer(content, style, { extractor, scales, ...options, onProgress }).catch((reason) => {
        error = reason;
      });
      return image;
    });
    const last = seen.at(-1);
    if (last?.type !== 'interrupted' || !image) throw new Error('no image of an interrupted run');
    const steps = seen.filter((event) => event.type === 'step');
    return { steps, last, image, error };
  }

  it('that is aborted in a later stage hands out the best image of this stage', async () => {
    const controller = new AbortController();
    const { steps, last, image, error } = await interrupted({
      signal: controller.signal,
      onProgress(event) {
        if (event.type === 'step' && event.stage.index === 1 && event.iteration === 1)
          controller.abort(new Error('enough'));
      },
    });
    expect(error).toMatchObject({ message: 'enough' });
    expect(image.shape).toEqual([24, 32, 3]);
    const of = (index: number) => steps.filter(({ stage }) => stage.index === index);
    expect(last.loss).toBe(Math.min(...of(1).map(({ loss }) => loss)));
    expect(last.evaluations).toBe((of(0).at(-1)?.evaluations ?? 0) + (of(1).at(-1)?.evaluations ?? 0));
  });

  it.each<[string, (targets: LossTargets) => Loss]>([
    [
      'has no memory for its targets',
      ({ extractor, content }) => {
        if (content.shape[1] > 16) throw new EnvironmentError('OUT_OF_MEMORY', 'No memory is left.', {});
        return contentLoss(extractor.extract(content, ['relu1_1']));
      },
    ],
    [
      'has a loss that is NaN',
      ({ content }) => ({
        name: 'nan',
        layers: ['image'],
        compute: ({ image }) =>
          content.shape[1] > 16
            ? (tf.mul(tf.mean(image as tf.Tensor4D), Number.NaN) as tf.Scalar)
            : (tf.mean(tf.square(image as tf.Tensor4D)) as tf.Scalar),
      }),
    ],
  ])('whose last stage %s hands out the result of the one before', async (_, loss) => {
    const { steps, last, image, error } = await interrupted({ loss });
    expect(error).toMatchObject({ code: expect.stringMatching(/OUT_OF_MEMORY|NOT_FINITE/) });
    expect(steps.every(({ stage }) => stage.index === 0)).toBe(true);
    expect(image.shape).toEqual([12, 16, 3]);
    expect(last.loss).toBe(steps.at(-1)?.loss);
    expect(last.evaluations).toBeGreaterThan(0);
  });
});
