import * as tf from '@tensorflow/tfjs-core';

/** How far two tensors of one shape are apart: `'mse'`, mean of squared differences, or `'l1'`, mean of magnitudes. */
export type Distance = 'mse' | 'l1';

/** Every {@link Distance}. */
export const distances: readonly Distance[] = ['mse', 'l1'];

/**
 * The distance of `value` from `target`, differentiable with respect to `value`.
 * The gradient is our own: tfjs-core by itself registers none, and this one makes two tensors where autodiff keeps five.
 */
export function distanceBetween(value: tf.Tensor, target: tf.Tensor, distance: Distance): tf.Scalar {
  const compute = tf.customGrad((x, save) => {
    const difference = tf.sub(x as tf.Tensor, target);
    (save as tf.GradSaveFunc)([difference]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      distance === 'mse'
        ? tf.mul(saved[0], tf.mul(dy, 2 / target.size))
        : tf.mul(tf.sign(saved[0]), tf.mul(dy, 1 / target.size));
    const magnitudes = distance === 'mse' ? tf.square(difference) : tf.abs(difference);
    return { value: mean(magnitudes), gradFunc };
  });
  return tf.tidy(() => compute(value) as tf.Scalar);
}

/** Axis by axis from the innermost: wasm sums in one float32 accumulator, which loses digits over millions of elements. */
function mean(x: tf.Tensor): tf.Scalar {
  let sums = x;
  while (sums.rank > 0) sums = tf.sum(sums, -1);
  return tf.div(sums, x.size) as tf.Scalar;
}
