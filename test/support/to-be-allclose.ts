import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { precisionFactor } from './precision';

/** What `toBeAllclose` compares: nested numbers, typed arrays or tensors. */
type Numbers = number | ArrayLike<number> | tf.Tensor | readonly Numbers[];

expect.extend({
  /**
   * |actual - expected| <= atol + rtol * |expected|, number by number, as NumPy's allclose. NaN is close to nothing.
   * `rtol` and `atol` are those of float32, and wider on less exact backends ({@link precisionFactor}).
   */
  toBeAllclose(actual: Numbers, expected: Numbers, tolerance: { rtol?: number; atol?: number } = {}) {
    const [rtol, atol] = [tolerance.rtol ?? 1e-5, tolerance.atol ?? 1e-7].map((t) => t * precisionFactor());
    const [found, wanted] = [flatten(actual), flatten(expected)];
    const wrong = wanted.findIndex((w, i) => !(Math.abs(found[i] - w) <= atol + rtol * Math.abs(w)));
    const pass = found.length === wanted.length && wrong < 0;
    return {
      pass,
      message: () =>
        found.length === wanted.length
          ? `position ${wrong}: found ${found[wrong]}, expected ${wanted[wrong]} (rtol ${rtol}, atol ${atol})`
          : `found ${found.length} numbers, expected ${wanted.length}`,
    };
  },
});

function flatten(numbers: Numbers): number[] {
  if (typeof numbers === 'number') return [numbers];
  if (numbers instanceof tf.Tensor) return Array.from(numbers.dataSync());
  const all = Array.from(numbers as ArrayLike<Numbers>);
  // Without a call for each of what may be a million numbers.
  return all.every((one) => typeof one === 'number') ? all : all.flatMap(flatten);
}

/** The numbers of a tensor, on any backend: WebGPU cannot be read synchronously. */
export const numbersOf = async (tensor: tf.Tensor): Promise<number[]> => Array.from(await tensor.data());

interface AllcloseMatcher<R> {
  toBeAllclose(expected: Numbers, tolerance?: { rtol?: number; atol?: number }): R;
}
declare module 'vitest' {
  interface Matchers<T> extends AllcloseMatcher<T> {}
}
