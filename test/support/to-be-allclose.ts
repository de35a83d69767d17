import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** What `toBeAllclose` compares: nested numbers, typed arrays or tensors. */
type Numbers = number | ArrayLike<number> | tf.Tensor | readonly Numbers[];

expect.extend({
  /**
   * |actual - expected| <= atol + rtol * |expected|, number by number, as NumPy's allclose. NaN is close to nothing.
   */
  toBeAllclose(actual: Numbers, expected: Numbers, { rtol = 1e-5, atol = 1e-7 } = {}) {
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
  return Array.from(numbers as ArrayLike<Numbers>).flatMap(flatten);
}

interface AllcloseMatcher<R> {
  toBeAllclose(expected: Numbers, tolerance?: { rtol?: number; atol?: number }): R;
}
declare module 'vitest' {
  interface Matchers<T> extends AllcloseMatcher<T> {}
}
