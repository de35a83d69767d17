import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProgram } from '../../../src/engines/load-program';
import { johnson } from '../../../src/generators/architectures/johnson';
import { textureNet } from '../../../src/generators/architectures/texture-net';
import { alikeness } from '../../../src/generators/training/diversity';
import { trainGenerator } from '../../../src/generators/training/train-generator';
import { tinyExtractor } from '../../../src/testing';
import '../../support/backends';
import { noise } from '../../support/images';

beforeAll(() => tf.setBackend('wasm'));

describe('alikeness', () => {
  it('is minus the logarithm of the mean difference, with that gradient', async () => {
    const [painted, other] = [
      tf.tensor3d([0.2, 0.5, 0.9, 0.1, 0.4, 0.3], [1, 2, 3]),
      tf.fill([1, 2, 3], 0.35),
    ];
    const { value, gradient } = await alikeness(painted, other as tf.Tensor3D);
    expect(value).toBeCloseTo(-Math.log(0.2 + 1e-3), 3);
    const step = 1e-2;
    const slopes = await gradient.data();
    for (let i = 0; i < painted.size; i++) {
      const at = async (change: number) => {
        const moved = (await painted.data<'float32'>()).map((x, k) => (k === i ? x + change : x));
        return (await alikeness(tf.tensor3d(moved, [1, 2, 3]), other as tf.Tensor3D)).value;
      };
      expect(slopes[i]).toBeCloseTo(((await at(step)) - (await at(-step))) / (2 * step), 2);
    }
  });

  it('is finite for equal pictures', async () => {
    const picture = noise(4, 4, 1);
    const { value, gradient } = await alikeness(picture, picture);
    expect(value).toBeCloseTo(-Math.log(1e-3), 3);
    expect((await gradient.data()).every((slope) => slope === 0)).toBe(true);
  });
});

describe('trainGenerator with diversity', () => {
  let extractor: ReturnType<typeof tinyExtractor>;
  beforeAll(() => {
    extractor = tinyExtractor({ layers: ['relu4_1'] });
  });
  afterAll(() => extractor.dispose());

  it('makes pictures of other noise differ more', async () => {
    const photo = noise(64, 64, 3);
    const apart = async (diversity: number) => {
      const generator = await trainGenerator({
        style: noise(48, 40, 5),
        architecture: textureNet({ width: 2, scales: 3 }),
        extractor,
        images: [noise(70, 64, 1)],
        size: 64,
        steps: 25,
        learningRate: 0.01,
        diversity,
      });
      const program = await loadProgram(generator, {});
      const [one, two] = [await program.run(photo, { seed: 1 }), await program.run(photo, { seed: 2 })];
      program.dispose();
      return (await tf.mean(tf.abs(tf.sub(one, two))).data())[0];
    };
    expect(await apart(5)).toBeGreaterThan(1.2 * (await apart(0)));
  }, 60_000);

  it('refuses a network without noise', async () => {
    const options = { style: noise(48, 40, 5), architecture: johnson({ width: 2, blocks: 1 }), extractor };
    await expect(trainGenerator({ ...options, diversity: 0.1 })).rejects.toThrow(
      'diversity is 0.1, and the network johnson has no noise; accepted: 0, or a network with noise, such as textureNet().',
    );
  });
});
