import * as tf from '@tensorflow/tfjs-core';
import { oneOf } from '../options/table';
import { sumOf } from '../sums';

/**
 * The distance of two tensors of one shape: `'mse'`, the mean of squared differences, or `'l1'`, of their magnitudes.
 */
export type Distance = 'mse' | 'l1';

const distances: readonly Distance[] = ['mse', 'l1'];

/** The option `distance` of losses, with its default. */
export const distanceOption = <const Default extends Distance>(byDefault: Default) =>
  oneOf(distances, { default: byDefault });

/**
 * The distance of `value` from `target`, differentiable with respect to `value`.
 * The gradient is written by hand: tfjs-core alone registers none, and this one makes two tensors where autodiff keeps
 * five.
 *
 * @param share the weight of each entry in the mean, broadcast to the shape of `value`; 1 / size by default
 */
export function distanceBetween(
  value: tf.Tensor,
  target: tf.Tensor,
  distance: Distance,
  share: tf.Tensor | number = 1 / target.size,
): tf.Scalar {
  const compute = tf.customGrad((x, save) => {
    const difference = tf.sub(x as tf.Tensor, target);
    (save as tf.GradSaveFunc)(typeof share === 'number' ? [difference] : [difference, share]);
    const gradFunc = (dy: tf.Tensor, [savedDifference, savedShare = share]: (tf.Tensor | number)[]) =>
      tf.mul(distanceGradient(savedDifference as tf.Tensor, distance), tf.mul(dy, savedShare));
    return { value: weightedSum(difference, distance, share), gradFunc };
  });
  return tf.tidy(() => compute(value) as tf.Scalar);
}

/** The sum of shares times squares, or magnitudes, of differences. */
export function weightedSum(difference: tf.Tensor, distance: Distance, share: tf.Tensor | number): tf.Scalar {
  const magnitudes = distance === 'mse' ? tf.square(difference) : tf.abs(difference);
  if (typeof share === 'number') return tf.mul(sumOf(magnitudes), share);
  return sumOf(tf.mul(magnitudes, share));
}

/** The derivative of squares, or magnitudes, of differences by the differences. */
export function distanceGradient(difference: tf.Tensor, distance: Distance): tf.Tensor {
  return distance === 'mse' ? tf.mul(difference, 2) : tf.sign(difference);
}
