import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Generator } from '../../../src/features/generator';
import { johnson } from '../../../src/generators/architectures/johnson';
import { textureNet } from '../../../src/generators/architectures/texture-net';
import type { CheckpointStore } from '../../../src/generators/training/checkpoint';
import type { TrainGeneratorOptions } from '../../../src/generators/training/options';
import type { TrainingProgress } from '../../../src/generators/training/progress';
import { trainGenerator } from '../../../src/generators/training/train-generator';
import { contentLoss, styleLoss, sum, weighted } from '../../../src/losses';
import type { Bytes } from '../../../src/storage/byte-store';
import { tinyExtractor } from '../../../src/testing';
import '../../support/backends';
import { noise } from '../../support/images';

const architecture = johnson({ width: 2, blocks: 1 });

/** A store in memory, and how often it was written. */
function memoryStore(): CheckpointStore & { bytes?: Bytes; writes: number } {
  const store = {
    name: 'memory',
    bytes: undefined as Bytes | undefined,
    writes: 0,
    read: async () => store.bytes,
    write: async (bytes: Bytes) => {
      store.bytes = bytes.slice();
      store.writes++;
    },
  };
  return store;
}

const vectorOf = ({ weights }: Generator) => [...weights.values()].map(({ values }) => [...values]);

let extractor: ReturnType<typeof tinyExtractor>;
let style: tf.Tensor3D;
let common: TrainGeneratorOptions;
beforeAll(async () => {
  await tf.setBackend('wasm');
  extractor = tinyExtractor({ layers: ['relu4_1'] });
  style = noise(48, 40, 5);
  const images = [noise(70, 64, 1), noise(64, 80, 2)];
  common = { style, architecture, extractor, images, size: 64, steps: 6, styleSize: 48 };
});
afterAll(() => {
  extractor.dispose();
  style.dispose();
});

/** Options with a listener that collects events. */
function listening(options: Partial<TrainGeneratorOptions> = {}) {
  const events: TrainingProgress[] = [];
  return {
    events,
    options: { ...common, ...options, onProgress: (event: TrainingProgress) => void events.push(event) },
  };
}

const stepsOf = (events: readonly TrainingProgress[]) =>
  events.flatMap((event) => (event.type === 'step' ? [event] : []));

describe('trainGenerator', () => {
  it('gives the same generator for equal options, to the bit, and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const [first, again, other] = [
      await trainGenerator(common),
      await trainGenerator(common),
      await trainGenerator({ ...common, seed: 1 }),
    ];
    expect(vectorOf(again)).toEqual(vectorOf(first));
    expect(vectorOf(other)).not.toEqual(vectorOf(first));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('lowers the loss', async () => {
    const { events, options } = listening({ steps: 60, learningRate: 0.01 });
    await trainGenerator(options);
    const losses = stepsOf(events).map(({ loss }) => loss);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.9 * mean(losses.slice(0, 10)));
  }, 120_000);

  it('tells start, steps and their work in order', async () => {
    const { events, options } = listening({ steps: 20, finalSteps: 1 });
    await trainGenerator(options);
    expect(events.map(({ type }) => type)).toEqual(['start', ...Array.from({ length: 20 }, () => 'step')]);
    expect(events[0]).toMatchObject({
      steps: 20,
      resumedAt: 0,
      architecture: 'johnson',
      base: undefined,
      stages: [
        { size: 32, steps: 19 },
        { size: 64, steps: 1 },
      ],
    });
    const steps = stepsOf(events);
    expect(steps.map(({ step, size }) => [step, size])).toEqual(
      Array.from({ length: 20 }, (_, i) => [i + 1, i < 19 ? 32 : 64]),
    );
    expect(steps[18].done).toBeCloseTo(19 / 23, 10);
    expect(steps[19]).toMatchObject({ done: 1, secondsLeft: 0 });
    for (const { loss, terms } of steps) expect(terms.content + terms.style).toBeCloseTo(loss, 4);
  }, 60_000);

  it('goes on from a checkpoint to the generator of a training that was not interrupted', async () => {
    const store = memoryStore();
    const steps = 30;
    const whole = await trainGenerator({ ...common, steps });
    const controller = new AbortController();
    const stop = (at: number) => (event: TrainingProgress) => {
      if (event.type === 'step' && event.step === at) controller.abort(new Error('enough'));
    };
    const interrupted = trainGenerator({
      ...common,
      steps,
      checkpoint: store,
      signal: controller.signal,
      onProgress: stop(7),
    });
    await expect(interrupted).rejects.toThrow('enough');
    expect(store.writes).toBe(1);
    const { events, options } = listening({ steps, checkpoint: store });
    const resumed = await trainGenerator(options);
    expect(events[0]).toMatchObject({ type: 'start', resumedAt: 7 });
    expect(stepsOf(events)[0].step).toBe(8);
    expect(vectorOf(resumed)).toEqual(vectorOf(whole));
    // The finished state is kept too: a program that ended before it saved the generator gets it at once.
    const { events: none, options: finished } = listening({ steps, checkpoint: store });
    expect(vectorOf(await trainGenerator(finished))).toEqual(vectorOf(whole));
    expect(stepsOf(none)).toEqual([]);
  }, 60_000);

  it('tells where it was interrupted, and whether that is kept', async () => {
    for (const checkpoint of [undefined, memoryStore()]) {
      const { events, options } = listening({ checkpoint });
      const failing = {
        ...options,
        onProgress(event: TrainingProgress) {
          options.onProgress(event);
          if (event.type === 'step' && event.step === 2) throw new Error('listener');
        },
      };
      const before = tf.memory().numTensors;
      await expect(trainGenerator(failing)).rejects.toThrow('listener');
      expect(events.at(-1)).toMatchObject({ type: 'interrupted', step: 2, kept: checkpoint !== undefined });
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  it('refuses the checkpoint of a training with other options', async () => {
    const checkpoint = memoryStore();
    await trainGenerator({ ...common, checkpoint });
    for (const [other, name] of [
      [{ beta: 2 }, 'beta'],
      [{ seed: 3 }, 'seed'],
      [{ style: noise(48, 40, 6) }, 'style'],
    ] as const)
      await expect(trainGenerator({ ...common, ...other, checkpoint })).rejects.toMatchObject({
        code: 'WRONG_CHECKPOINT',
        message: expect.stringContaining(name),
      });
  });

  it('shows pictures that it is not trained on', async () => {
    const { options } = listening();
    const seen: unknown[] = [];
    const before = tf.memory().numTensors;
    const preview = [noise(70, 50, 8)];
    await trainGenerator({
      ...options,
      preview,
      previewInterval: 4,
      onProgress: (event) => {
        if (event.type === 'preview')
          seen.push([event.step, event.images.map(({ shape }) => shape), event.losses.length]);
      },
    });
    expect(seen).toEqual([
      [4, [[64, 32, 3]], 1],
      [6, [[64, 32, 3]], 1],
    ]);
    expect(tf.memory().numTensors).toBe(before + 1);
  });

  it('shows them at sizes that the network takes', async () => {
    const shapes: unknown[] = [];
    await trainGenerator({
      ...common,
      architecture: textureNet({ width: 1, scales: 7 }),
      size: 128,
      steps: 1,
      preview: [noise(96, 64, 8)],
      onProgress: (event) => {
        if (event.type === 'preview') shapes.push(...event.images.map(({ shape }) => shape));
      },
    });
    expect(shapes).toEqual([[128, 64, 3]]);
  });

  it('starts from a generator, which remains', async () => {
    const base = await trainGenerator(common);
    const from = vectorOf(base);
    const { events, options } = listening({ architecture: undefined, base });
    const trained = await trainGenerator(options);
    expect(vectorOf(base)).toEqual(from);
    expect(events[0]).toMatchObject({ base: base.name });
    // The first of 20 steps of warm-up moves by 3e-3 / 20 at most.
    const [a, b] = [from.flat(), vectorOf(trained).flat()];
    expect(a.length).toBe(b.length);
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i])))).toBeLessThan(6 * 3e-3);
    const wrong = trainGenerator({ ...common, architecture: johnson({ width: 3, blocks: 1 }), base });
    await expect(wrong).rejects.toMatchObject({ code: 'WRONG_NETWORK', option: 'architecture' });
  });

  it('draws pictures where none are given, and says in the generator what it was trained on', async () => {
    const generator = await trainGenerator({ ...common, images: undefined, steps: 1, name: 'noise' });
    expect(generator).toMatchObject({
      kind: 'generator',
      name: 'noise',
      training: {
        preset: 'relative',
        beta: 1.2,
        steps: 1,
        finalSteps: 0,
        drawn: 64,
        size: 64,
        seed: 0,
        base: 'none',
        images: 'procedural, seed 0',
      },
    });
  });

  it('trains by other losses: another preset, or a function', async () => {
    const { events, options } = listening({ preset: 'li2021-baseline' });
    await trainGenerator(options);
    expect(Object.keys(stepsOf(events)[0].terms)).toEqual(['content', 'style']);
    const custom = listening({
      loss: ({ extractor: network, content, style: painting }) =>
        sum([
          contentLoss(network.extract(content, ['conv2_2'])),
          weighted(2, styleLoss(network.extract(painting, ['conv1_1']), { statistic: 'mean-variance' })),
        ]),
    });
    const before = tf.memory().numTensors;
    await trainGenerator(custom.options);
    expect(stepsOf(custom.events)).toHaveLength(6);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each<[string, object, object]>([
    ['no style', { style: undefined }, { code: 'MISSING', option: 'style' }],
    ['a size that strides do not divide', { size: 100 }, { code: 'OUT_OF_RANGE', option: 'size' }],
    [
      'a size whose half the network cannot halve as often as it does',
      { size: 320, architecture: textureNet({ scales: 7 }) },
      {
        code: 'OUT_OF_RANGE',
        option: 'size',
        message: expect.stringContaining('a multiple of 128 from 128'),
      },
    ],
    ['no step', { steps: 0 }, { code: 'OUT_OF_RANGE', option: 'steps' }],
    [
      'more last steps than steps',
      { steps: 5, finalSteps: 6 },
      { code: 'OUT_OF_RANGE', option: 'finalSteps', message: expect.stringContaining('0 to 5') },
    ],
    [
      'a number of drawn pictures beside images',
      { images: ['photo.jpg'], drawn: 3 },
      { code: 'CONFLICTING_OPTIONS', option: 'drawn' },
    ],
    ['no images', { images: [] }, { code: 'WRONG_TYPE', option: 'images' }],
    ['a loss beside a preset', { loss: () => {}, preset: 'relative' }, { code: 'CONFLICTING_OPTIONS' }],
    ['weights beside an extractor', { weights: 'vgg19' }, { code: 'CONFLICTING_OPTIONS', option: 'weights' }],
    ['an unknown option', { step: 5 }, { code: 'UNKNOWN_OPTION' }],
    ['a layer that is not there', { preset: 'gatys2016' }, { code: 'MISSING_LAYER', option: 'preset' }],
  ])('refuses %s before any work', async (_, wrong, error) => {
    const { events, options } = listening(wrong);
    await expect(trainGenerator(options)).rejects.toMatchObject(error);
    expect(events).toEqual([]);
  });

  it('refuses a style without style', async () => {
    const flat = tf.fill([48, 48, 3], 0.4) as tf.Tensor3D;
    await expect(trainGenerator({ ...common, style: flat })).rejects.toMatchObject({
      code: 'TOO_FLAT',
      option: 'style',
    });
    await expect(trainGenerator({ ...common, style: noise(12, 48, 1) })).rejects.toMatchObject({
      code: 'TOO_SMALL',
      option: 'style',
    });
    flat.dispose();
  });

  it('leaves out the layers that the embedded network lacks, and says so, where no preset is chosen', async () => {
    const { events, options } = listening({ weights: 'embedded', extractor: undefined, steps: 1 });
    const generator = await trainGenerator(options);
    expect(generator.training).toBeDefined();
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'warning',
        code: 'LAYERS_LEFT_OUT',
        message: expect.stringContaining('relu4_1'),
      }),
    );
  });

  it('says how to get VGG-19 where there is only the embedded network and a preset is chosen', async () => {
    const { extractor: _, ...withoutExtractor } = common;
    const training = trainGenerator({ ...withoutExtractor, weights: 'embedded', preset: 'relative' });
    await expect(training).rejects.toMatchObject({ code: 'MISSING_LAYER' });
  });
});
