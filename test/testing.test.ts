import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { contentLoss, type Loss } from '../src/losses';
import { checkGradient, expectNoLeak, tinyExtractor } from '../src/testing';
import './support/backends';
import { noise } from './support/images';
import './support/to-be-allclose';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('checkGradient', () => {
  const at = () => ({ conv1_1: tf.randomNormal([1, 3, 3, 2], 0, 1, 'float32', 1) as tf.Tensor4D });

  it('passes a right gradient and says how right', async () => {
    const { maxError, directions } = await checkGradient(contentLoss(at()), {
      conv1_1: tf.ones([1, 3, 3, 2]),
    });
    expect(maxError).toBeLessThan(1e-3);
    expect(directions).toHaveLength(6);
  });

  it.each([
    ['twice too large', (g: tf.Tensor) => tf.mul(g, 2)],
    ['of the wrong sign', (g: tf.Tensor) => tf.neg(g)],
    ['zero', (g: tf.Tensor) => tf.zerosLike(g)],
    ['not a number', (g: tf.Tensor) => tf.mul(g, Number.NaN)],
  ])('fails a gradient that is %s', async (_, spoil) => {
    const square = tf.customGrad((x, save) => {
      (save as tf.GradSaveFunc)([x as tf.Tensor]);
      return {
        value: tf.sum(tf.square(x as tf.Tensor)),
        gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => spoil(tf.mul(tf.mul(saved, 2), dy)),
      };
    });
    const wrong: Loss = {
      name: 'wrong',
      layers: ['conv1_1'],
      compute: ({ conv1_1 }) => square(conv1_1 as tf.Tensor4D) as tf.Scalar,
    };
    await expect(checkGradient(wrong, at())).rejects.toMatchObject({ code: 'WRONG_GRADIENT' });
  });
});

describe('expectNoLeak', () => {
  it('lets a function return tensors, alone or in records', async () => {
    const { a, more } = await expectNoLeak(() => ({ a: tf.scalar(1), more: [tf.scalar(2)] }));
    tf.dispose([a, ...more]);
  });

  it('counts what is left behind, and what was not the function’s to dispose', async () => {
    const kept: tf.Tensor[] = [];
    await expect(expectNoLeak(() => void kept.push(tf.scalar(1), tf.scalar(2)))).rejects.toThrow(
      '2 tensors were leaked.',
    );
    await expect(expectNoLeak(async () => kept[0].dispose())).rejects.toThrow('1 tensor was disposed');
  });
});

describe('tinyExtractor', () => {
  it('is the same network for the same seed, and another for another', () => {
    const image = noise(8, 8);
    const feature = (seed: number) =>
      tinyExtractor({ seed }).extract(image, ['conv3_1']).conv3_1 as tf.Tensor4D;
    expect(feature(1)).toBeAllclose(feature(1), { rtol: 0, atol: 0 });
    expect(() => expect(feature(1)).toBeAllclose(feature(2))).toThrow();
  });

  it('ends where it is told', () => {
    expect(tinyExtractor({ layers: ['pool1', 'conv1_1'] }).layers).toEqual([
      'image',
      'conv1_1',
      'relu1_1',
      'conv1_2',
      'relu1_2',
      'pool1',
    ]);
  });
});
