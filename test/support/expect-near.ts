import type * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** Root mean square of the difference relative to that of what is expected. */
export function expectNear(found: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  expect(found.shape).toEqual(expected.shape);
  const [a, b] = [found.dataSync<'float32'>(), expected.dataSync<'float32'>()];
  let [difference, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  expect(Math.sqrt(difference / size)).toBeLessThan(tolerance);
}
