import * as tf from '@tensorflow/tfjs-core';
import { oneOf } from '../options/table';
import { sumOf } from '../sums';

/**
 * The distance of two tensors of one shape: `'mse'`, the mean of squared differences, or `'l1'`, of their magnitudes.
 */
export type Distance = 'mse' | 'l1';

const distances: readonly Distance[] = ['mse', 'l1'];

/**
 * The distance of a Gram matrix G from its target A: as a {@link Distance}, or `'relative'`, |G - A| / |A| in the
 * Frobenius norm, not squared. It is 1 where there is nothing, at every layer and size.
 */
export type GramDistance = Distance | 'relative';

/**
 * The distance of the Gram matrices of a style loss: a {@link GramDistance}, or `'relative-mse'`, mean((G - A)^2)
 * divided by mean(A^2), the square of `'relative'`: its pull falls with the distance, so that unlike paintings end at
 * about the same one.
 */
export type StyleDistance = GramDistance | 'relative-mse';

/** Every {@link StyleDistance}. */
export const styleDistances: readonly StyleDistance[] = [...distances, 'relative', 'relative-mse'];

/** The option `distance` of losses, with its default. */
export const distanceOption = <const Default extends Distance>(byDefault: Default) =>
  oneOf(distances, { default: byDefault });

/**
 * The distance of `value` from `target`, differentiable with respect to `value`.
 * The gradient is written by hand: tfjs-core alone registers none, and this one makes two tensors where autodiff keeps
 * five.
 *
 * @param weights of entries, broadcast to the shape of `value`; 1 by default
 */
export function distanceBetween(
  value: tf.Tensor,
  target: tf.Tensor,
  distance: Distance,
  weights?: tf.Tensor,
): tf.Scalar {
  const share = 1 / target.size;
  const compute = tf.customGrad((x, save) => {
    const difference = tf.sub(x as tf.Tensor, target);
    (save as tf.GradSaveFunc)(weights ? [difference, weights] : [difference]);
    const gradFunc = (dy: tf.Tensor, [savedDifference, savedWeights]: tf.Tensor[]) => {
      const gradient = tf.mul(distanceGradient(savedDifference, distance), tf.mul(dy, share));
      return savedWeights ? tf.mul(gradient, savedWeights) : gradient;
    };
    return { value: weightedSum(difference, distance, share, weights), gradFunc };
  });
  return tf.tidy(() => compute(value) as tf.Scalar);
}

/**
 * The distance of a Gram matrix from its target and the derivative by the matrix. At the target, where the norm has
 * none, the derivative of `'relative'` is 0.
 *
 * @returns tensors that belong to the surrounding `tf.tidy`
 */
export function gramDistanceOf(
  gram: tf.Tensor,
  target: tf.Tensor,
  distance: GramDistance,
): { readonly value: tf.Scalar; readonly slope: tf.Tensor } {
  const difference = tf.sub(gram, target);
  if (distance !== 'relative') {
    const share = 1 / target.size;
    const slope = tf.mul(distanceGradient(difference, distance), share);
    return { value: weightedSum(difference, distance, share), slope };
  }
  const [norm, size] = [difference, target].map((matrix) => tf.sqrt(sumOf(tf.square(matrix))));
  // A target of zeros has no scale.
  const scale = tf.where(tf.greater(size, 0), size, tf.onesLike(size));
  return { value: tf.div<tf.Scalar>(norm, scale), slope: tf.divNoNan(difference, tf.mul(norm, scale)) };
}

/** {@link gramDistanceOf} by itself, differentiable with respect to `gram`. */
export function gramDistanceBetween(gram: tf.Tensor, target: tf.Tensor, distance: GramDistance): tf.Scalar {
  const compute = tf.customGrad((x, save) => {
    const { value, slope } = gramDistanceOf(x as tf.Tensor, target, distance);
    (save as tf.GradSaveFunc)([slope]);
    return { value, gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(saved, dy) };
  });
  return tf.tidy(() => compute(gram) as tf.Scalar);
}

/** `share` times the sum of squares, or magnitudes, of differences, each times its weight. */
export function weightedSum(
  difference: tf.Tensor,
  distance: Distance,
  share: number,
  weights?: tf.Tensor,
): tf.Scalar {
  const magnitudes = distance === 'mse' ? tf.square(difference) : tf.abs(difference);
  return tf.mul(sumOf(weights ? tf.mul(magnitudes, weights) : magnitudes), share);
}

/** The derivative of squares, or magnitudes, of differences by the differences. */
export function distanceGradient(difference: tf.Tensor, distance: Distance): tf.Tensor {
  return distance === 'mse' ? tf.mul(difference, 2) : tf.sign(difference);
}
