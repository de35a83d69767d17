import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { PatchDiscriminator } from '../../scripts/guide-pictures/patch-discriminator';
import { Random } from '../../src/random';
import '../support/backends';
import { numbersOf } from '../support/to-be-allclose';

const random = new Random(3);
const map = (height: number, width: number, mean: number): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from({ length: height * width * 4 }, () => random.normal(mean)),
    [1, height, width, 4],
  );

describe('PatchDiscriminator', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('has the gradient of the hinge loss that central differences find', () => {
    const painted = map(5, 6, 0);
    const discriminator = new PatchDiscriminator(map(6, 6, 1), 1);
    const gradient = tf.grad((x) => discriminator.hinge(x as tf.Tensor4D))(painted);
    const direction = map(5, 6, 0);
    const at = (step: number) =>
      discriminator.hinge(tf.add(painted, tf.mul(direction, step)) as tf.Tensor4D).dataSync()[0];
    const slope = tf.sum(tf.mul(gradient, direction)).dataSync()[0];
    expect(slope).not.toBe(0);
    expect((at(1e-3) - at(-1e-3)) / 2e-3).toBeCloseTo(slope, 2);
  });

  it('learns to tell the painting from what was painted, and leaves no tensor behind', async () => {
    const [painting, painted] = [map(6, 6, 1), map(6, 6, -1)];
    const before = tf.memory().numTensors;
    const discriminator = new PatchDiscriminator(painting, 1);
    const losses = Array.from({ length: 40 }, () => discriminator.learn(painting, painted, 3e-3));
    expect(losses[39]).toBeLessThan(0.3 * losses[0]);
    expect((await numbersOf(discriminator.hinge(painted)))[0]).toBeGreaterThan(1);
    discriminator.dispose();
    // The loss that was read.
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});
