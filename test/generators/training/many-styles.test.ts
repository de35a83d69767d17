import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGenerator, type Generator, parametersOf } from '../../../src/features/generator';
import { arbitrary } from '../../../src/generators/architectures/arbitrary';
import { johnson } from '../../../src/generators/architectures/johnson';
import { multiStyle, normParameters } from '../../../src/generators/architectures/multi-style';
import type { TrainGeneratorOptions } from '../../../src/generators/training/options';
import type { TrainingProgress } from '../../../src/generators/training/progress';
import { trainGenerator } from '../../../src/generators/training/train-generator';
import { styleLoss } from '../../../src/losses';
import type { Bytes } from '../../../src/storage/byte-store';
import { tinyExtractor } from '../../../src/testing';
import '../../support/backends';
import { noise } from '../../support/images';

const tiny = { width: 2, blocks: 1 };
const styles = ['mosaic', 'wave'];
const architecture = multiStyle({ ...tiny, styles });
const norms = new Set(normParameters(architecture.network).map(({ name }) => name));

let extractor: ReturnType<typeof tinyExtractor>;
let common: TrainGeneratorOptions;
let paintings: tf.Tensor3D[];
let first: Generator;
beforeAll(async () => {
  await tf.setBackend('wasm');
  extractor = tinyExtractor({ layers: ['relu4_1'] });
  paintings = [noise(48, 40, 5), noise(40, 48, 6)];
  const images = [noise(70, 64, 1), noise(64, 80, 2)];
  common = { style: paintings, architecture, extractor, images, size: 64, steps: 5, styleSize: 48 };
  first = await trainGenerator(common);
});
afterAll(() => {
  extractor.dispose();
  tf.dispose(paintings);
});

/** The network's parameters for each style. */
const byStyle = (generator: Generator) =>
  generator.styles.map((_, i) => [
    ...parametersOf(
      generator,
      generator.styles.map((__, k) => Number(i === k)),
    ),
  ]);

const kernelsOf = ({ weights }: Generator) =>
  [...weights]
    .filter(([name]) => !norms.has(name.replace('/slopes', '')))
    .map(([, { values }]) => [...values]);

const slopesOf = ({ weights }: Generator, style: number) =>
  [...weights]
    .filter(([name]) => name.endsWith('/slopes'))
    .map(([, { shape, values }]) => [...values.subarray(style * shape[1], (style + 1) * shape[1])]);

describe('trainGenerator for several styles', () => {
  it('gives a generator of all of them, equal for equal options, and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const again = await trainGenerator(common);
    expect(tf.memory().numTensors).toBe(before);
    expect(byStyle(again)).toEqual(byStyle(first));
    expect(first).toMatchObject({ styles, vectorLength: 2, training: { styles: 'mosaic, wave', steps: 5 } });
    expect(slopesOf(first, 0)).not.toEqual(slopesOf(first, 1));
  });

  it('takes the styles in turn: a step moves what they share, and the scales and shifts of its own style', async () => {
    const untrained = architecture.initialWeights(0);
    const one = await trainGenerator({ ...common, steps: 1 });
    const start = { ...one, weights: untrained };
    expect(kernelsOf(one)).not.toEqual(kernelsOf(start));
    expect(slopesOf(one, 0)).not.toEqual(slopesOf(start, 0));
    expect(slopesOf(one, 1)).toEqual(slopesOf(start, 1));
  });

  it('moves by the gradient of the network of one style', async () => {
    // Of one style, the first step is that of a network without styles, but for the pace of norms.
    const single = multiStyle({ ...tiny, styles: ['mosaic'] });
    const [style] = paintings;
    const many = await trainGenerator({ ...common, style: [style], architecture: single, steps: 2 });
    const plain = await trainGenerator({ ...common, style, architecture: johnson(tiny), steps: 1 });
    const one = await trainGenerator({ ...common, style: [style], architecture: single, steps: 1 });
    for (const [name, { values }] of plain.weights)
      if (!norms.has(name))
        expect([name, ...(one.weights.get(name)?.values ?? [])]).toEqual([name, ...values]);
    const start = johnson(tiny).initialWeights(0);
    for (const name of norms) {
      const moved = plain.weights.get(name)?.values ?? [];
      const row = one.weights.get(`${name}/slopes`)?.values ?? [];
      for (const [i, before] of (start.get(name)?.values ?? new Float32Array()).entries())
        expect(row[i] - before).toBeCloseTo(2 * (moved[i] - before), 6);
    }
    expect(byStyle(many)).not.toEqual(byStyle(one));
  });

  it('goes on from a checkpoint to the generator of a training that was not interrupted', async () => {
    let kept: Bytes | undefined;
    const checkpoint = {
      name: 'memory',
      read: async () => kept,
      write: async (bytes: Bytes) => {
        kept = bytes.slice();
      },
    };
    const onProgress = (event: TrainingProgress) => {
      if (event.type === 'step' && event.step === 2) throw new Error('enough');
    };
    await expect(trainGenerator({ ...common, checkpoint, onProgress })).rejects.toThrow('enough');
    const other = trainGenerator({ ...common, checkpoint, style: paintings.toReversed() });
    await expect(other).rejects.toMatchObject({ code: 'WRONG_CHECKPOINT' });
    expect(byStyle(await trainGenerator({ ...common, checkpoint }))).toEqual(byStyle(first));
  });

  it('adds styles to a base of several, by scales and shifts alone', async () => {
    const added = await trainGenerator({
      ...common,
      architecture: undefined,
      base: first,
      style: [paintings[1]],
      styles: ['new'],
      steps: 2,
    });
    expect(added.styles).toEqual(['mosaic', 'wave', 'new']);
    expect(kernelsOf(added)).toEqual(kernelsOf(first));
    expect([0, 1].map((i) => slopesOf(added, i))).toEqual([0, 1].map((i) => slopesOf(first, i)));
    const mean = slopesOf(first, 0).map((row, k) =>
      row.map((value, c) => (value + slopesOf(first, 1)[k][c]) / 2),
    );
    expect(slopesOf(added, 2)).not.toEqual(mean);
    for (const [k, row] of slopesOf(added, 2).entries())
      for (const [c, value] of row.entries()) expect(Math.abs(value - mean[k][c])).toBeLessThan(2 * 2 * 1e-3);
    expect(added.training).toMatchObject({ trained: 'scales and shifts', styles: 'new' });
  });

  it('trains a base of several further, and starts from one of one style', async () => {
    const further = await trainGenerator({ ...common, architecture: undefined, base: first, steps: 1 });
    expect(further.styles).toEqual(styles);
    expect(kernelsOf(further)).not.toEqual(kernelsOf(first));
    const base = await trainGenerator({
      ...common,
      style: paintings[0],
      architecture: johnson(tiny),
      steps: 1,
    });
    const many = await trainGenerator({ ...common, architecture: undefined, base, steps: 1 });
    expect(many).toMatchObject({ styles: ['1', '2'], network: { name: 'multiStyle' } });
    expect(slopesOf(many, 1).flat()).toEqual(
      [...norms].flatMap((name) => [...(base.weights.get(name)?.values ?? [])]),
    );
  });

  it('calls the styles of a base without names by their numbers', async () => {
    const { network, weights } = first;
    const base = createGenerator({ network, weights });
    const from = { ...common, architecture: undefined, base, steps: 1 };
    const further = await trainGenerator(from);
    expect(further.styles).toEqual(['1', '2']);
    expect(further.training).not.toHaveProperty('trained');
    const added = await trainGenerator({ ...from, style: [paintings[1]], styles: ['new'] });
    expect(added).toMatchObject({ styles: ['1', '2', 'new'], vectorLength: 3 });
  });

  it('shows each picture in every style, and tells a custom loss which one it is', async () => {
    const seen: number[] = [];
    const shown: number[] = [];
    await trainGenerator({
      ...common,
      steps: 2,
      preview: [paintings[0]],
      loss: ({ extractor: network, style: painting }, style) => {
        seen.push(style);
        return styleLoss(network.extract(painting, ['relu1_1']));
      },
      onProgress(event) {
        if (event.type === 'preview') shown.push(event.images.length, event.losses.length);
      },
    });
    expect(shown).toEqual([2, 2]);
    // Two steps, and the preview.
    expect(seen).toEqual([0, 1, 0, 1]);
  });

  it.each<[string, () => object, object]>([
    ['no picture', () => ({ style: [] }), { code: 'WRONG_TYPE', option: 'style' }],
    ['a picture too few', () => ({ style: [paintings[0]] }), { code: 'WRONG_LENGTH', option: 'style' }],
    [
      'other names than those of the architecture',
      () => ({ styles: ['a', 'b'] }),
      { code: 'CONFLICTING_OPTIONS' },
    ],
    ['a name twice', () => ({ styles: ['a', 'a'] }), { code: 'WRONG_TYPE', option: 'styles' }],
    [
      'names beside one picture',
      () => ({ style: paintings[0], styles: ['a'] }),
      { code: 'CONFLICTING_OPTIONS' },
    ],
    ['an architecture for many and one picture', () => ({ style: paintings[0] }), { code: 'WRONG_NETWORK' }],
    [
      'a base for many and one picture',
      () => ({ style: paintings[0], architecture: undefined, base: first }),
      { code: 'WRONG_NETWORK', option: 'base' },
    ],
    [
      "some of a base's names",
      () => ({ architecture: undefined, base: first, styles: ['wave', 'new'] }),
      { code: 'WRONG_STYLE', option: 'styles' },
    ],
    [
      'an architecture for any style',
      () => ({ architecture: arbitrary({ width: 2, blocks: 1 }) }),
      { code: 'WRONG_NETWORK', message: expect.stringContaining('thousands of paintings') },
    ],
  ])('refuses %s', async (_, wrong, error) => {
    await expect(trainGenerator({ ...common, ...wrong() })).rejects.toMatchObject(error);
  });
});
