import * as tf from '@tensorflow/tfjs-core';
import { sumOf } from '../sums';
import { type Distance, distanceGradient, weightedSum } from './distance';
import type { TermMask } from './term-mask';

/**
 * The mean distance of horizontal neighbours plus that of vertical ones, differentiable with respect to `image`.
 *
 * @param image [1, height, width, channels]
 * @param mask weights of pixels, [height, width, 1]; a pair of neighbours weighs the product of theirs
 * @param mean see {@link TermMask.mean}
 */
export function roughness(
  image: tf.Tensor4D,
  distance: Distance,
  mask?: tf.Tensor3D,
  mean: TermMask['mean'] = 'weights',
): tf.Scalar {
  const weights = mask && tf.expandDims<tf.Tensor4D>(mask, 0);
  const axes = ([1, 2] as const).filter((axis) => image.shape[axis] > 1);
  const total = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)(weights ? [x as tf.Tensor4D, weights] : [x as tf.Tensor4D]);
    const values = axes.map((axis) => {
      const difference = differenceAlong(x as tf.Tensor4D, axis);
      const pairs = weights && weightsAlong(weights, axis, mean);
      const value = weightedSum(difference, distance, 1 / difference.size, pairs?.weights);
      return pairs ? tf.mul<tf.Scalar>(value, pairs.ratio) : value;
    });
    const gradFunc = (dy: tf.Tensor, [saved, savedWeights]: tf.Tensor[]) => {
      const gradients = axes.map((axis) => {
        const difference = differenceAlong(saved as tf.Tensor4D, axis);
        const gradient = tf.mul(distanceGradient(difference, distance), 1 / difference.size);
        if (!savedWeights) return fromDifferences(gradient, axis);
        const pairs = weightsAlong(savedWeights as tf.Tensor4D, axis, mean);
        return fromDifferences(tf.mul(tf.mul(gradient, pairs.weights), pairs.ratio), axis);
      });
      return tf.mul(gradients.length > 0 ? tf.addN(gradients) : tf.zerosLike(saved), dy);
    };
    return { value: values.length > 0 ? tf.addN(values) : tf.scalar(0), gradFunc };
  });
  return tf.tidy(() => total(image) as tf.Scalar);
}

type Axis = 1 | 2;

/**
 * The weights of pairs of neighbours as {@link roughness} has them, times what makes means over them of means over all
 * pairs: [2, height, width], of each pixel with the one to its right, and with the one below; 0 where there is none.
 *
 * @param mask weights of pixels, [height, width, 1]
 */
export function pairWeights(mask: tf.Tensor3D, mean: TermMask['mean']): tf.Tensor3D {
  const [height, width] = mask.shape;
  const weights = tf.expandDims<tf.Tensor4D>(mask, 0);
  const along = ([2, 1] as const).map((axis) => {
    if (weights.shape[axis] === 1) return tf.zeros([1, height, width]);
    const pairs = weightsAlong(weights, axis, mean);
    const padding = [0, 1, 2, 3].map((i): [number, number] => [0, i === axis ? 1 : 0]);
    return tf.reshape(tf.pad(tf.mul(pairs.weights, pairs.ratio), padding), [1, height, width]);
  });
  return tf.concat(along, 0) as tf.Tensor3D;
}

/** The weight of each pair of neighbours, and what makes the mean over them of a mean over all pairs. */
function weightsAlong(
  weights: tf.Tensor4D,
  axis: Axis,
  mean: TermMask['mean'],
): { readonly weights: tf.Tensor; readonly ratio: tf.Tensor } {
  const pairs = tf.mul(...neighbours(weights, axis));
  const ratio = mean === 'positions' ? tf.scalar(1) : tf.divNoNan(tf.scalar(pairs.size), sumOf(pairs));
  return { weights: pairs, ratio };
}

/** The pairs of neighbours along `axis` as two tensors: all positions but the last, and all but the first. */
function neighbours(x: tf.Tensor4D, axis: Axis): [tf.Tensor4D, tf.Tensor4D] {
  const size = x.shape.map((n, i) => (i === axis ? n - 1 : n)) as [number, number, number, number];
  const begin = x.shape.map((_, i) => (i === axis ? 1 : 0)) as [number, number, number, number];
  return [tf.slice(x, [0, 0, 0, 0], size), tf.slice(x, begin, size)];
}

function differenceAlong(x: tf.Tensor4D, axis: Axis): tf.Tensor4D {
  const [first, second] = neighbours(x, axis);
  return tf.sub(second, first);
}

/** The adjoint of {@link differenceAlong}. */
function fromDifferences(gradient: tf.Tensor, axis: Axis): tf.Tensor {
  const padding = (before: number) =>
    gradient.shape.map((_, i) => (i === axis ? [before, 1 - before] : [0, 0])) as [number, number][];
  return tf.sub(tf.pad(gradient, padding(1)), tf.pad(gradient, padding(0)));
}
