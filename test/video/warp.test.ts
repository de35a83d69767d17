import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { registerGradients } from '../../src/gradients';
import { expectNoLeak } from '../../src/testing';
import { warp } from '../../src/video';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';

const everywhere = (height: number, width: number, [across, down]: readonly [number, number]): tf.Tensor3D =>
  tf.tensor3d(Array.from({ length: height * width }, () => [across, down]).flat(), [height, width, 2]);

describe('warp', () => {
  onEachBackend(() => {
    it('is exact where displacements are whole pixels, with the border beyond the border', () => {
      const image = tf.tensor3d([1, 2, 3, 4, 5, 6], [2, 3, 1]);
      expect([...warp(image, everywhere(2, 3, [1, 0])).dataSync()]).toEqual([2, 3, 3, 5, 6, 6]);
      expect([...warp(image, everywhere(2, 3, [-1, 1])).dataSync()]).toEqual([4, 4, 5, 4, 4, 5]);
      expect([...warp(image, everywhere(2, 3, [0, 0])).dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('is bilinear between pixels, in every channel', () => {
      const image = tf.tensor3d([0, 10, 1, 20, 2, 30, 3, 40], [2, 2, 2]);
      const flow = tf.tensor3d([0.25, 0.5, 0, 0.5, 0.5, 0, 0, 0], [2, 2, 2]);
      // Of the first pixel, rows 0.25 and 2.25, half of each; columns of the others likewise.
      expect(warp(image, flow)).toBeAllclose([1.25, 22.5, 2, 30, 2.5, 35, 3, 40]);
    });

    it('has a gradient by the image that gives every pixel back what it gave', async () => {
      registerGradients();
      const image = noise(5, 4, 1);
      const flow = tf.randomUniform<tf.Rank.R3>([5, 4, 2], -3, 3, 'float32', 2);
      const cotangent = tf.randomNormal<tf.Rank.R3>([5, 4, 3], 0, 1, 'float32', 3);
      const direction = tf.randomNormal<tf.Rank.R3>([5, 4, 3], 0, 1, 'float32', 4);
      const gradient = await expectNoLeak(() =>
        tf.grad((x) => tf.sum(tf.mul(warp(x as tf.Tensor3D, flow), cotangent)))(image),
      );
      // It is linear in the image: <gradient, d> = <cotangent, warp(d)> for every d.
      const inner = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0];
      expect(inner(gradient, direction)).toBeAllclose(inner(cotangent, warp(direction, flow)), {
        rtol: 1e-4,
      });
    });

    it('leaves no tensor but its result', async () => {
      const [image, flow] = [noise(5, 4), everywhere(5, 4, [0.5, 0.5])];
      await expectNoLeak(() => warp(image, flow));
    });
  });

  it('refuses what is no image and a flow of another size', () => {
    expect(() => warp(tf.ones([4]) as never, everywhere(2, 2, [0, 0]))).toThrow(
      'image is a tensor [4]; accepted: a tensor [height, width, channels].',
    );
    expect(() => warp(noise(3, 2), everywhere(2, 3, [0, 0]))).toThrow(
      'flow is a float32 tensor [2,3,2]; accepted: a float32 tensor [3, 2, 2].',
    );
  });
});
