import * as tf from '@tensorflow/tfjs-core';
import { ImageError, InvalidArgumentError } from '../errors';
import { columnMeans } from '../sums';
import type { PositionWeights } from './pooled-mask';

/** A feature map [1, h, w, c] as a matrix [positions, channels]. */
export function positionsByChannels(caller: string, feature: tf.Tensor4D): tf.Tensor2D {
  const [batch, height, width, channels] = feature.shape;
  if (feature.rank !== 4 || batch !== 1) {
    const accepted = '[1, height, width, channels]';
    throw new InvalidArgumentError(
      'WRONG_SHAPE',
      `${caller}: feature has shape [${feature.shape}]; accepted: ${accepted}.`,
      { option: 'feature', value: feature.shape, accepted },
    );
  }
  return tf.reshape(feature, [height * width, channels]);
}

/**
 * Means of the columns, [1, channels], over positions by their weights, and the matrix without them.
 *
 * @param shares [positions, 1] of {@link sharesOf}
 */
export function centred(
  matrix: tf.Tensor2D,
  shares?: tf.Tensor2D,
): { readonly mean: tf.Tensor2D; readonly centred: tf.Tensor2D } {
  const mean = columnMeans(shares ? tf.mul(matrix, shares) : matrix);
  return { mean, centred: tf.sub(matrix, mean) };
}

/**
 * What each position counts in means over all positions, [positions, 1]: its weight over the mean weight. 1 for a mask
 * of ones, 0 for one of zeros.
 */
export function sharesOf({ weights, ratio }: PositionWeights): tf.Tensor2D {
  return tf.mul(tf.reshape(weights, [weights.size, 1]), ratio);
}

/** Throws unless a layer has two positions: one has no spread, so that its statistics say nothing about a style. */
export function requireSpread(caller: string, layer: string, feature: Pick<tf.Tensor4D, 'shape'>): void {
  const [, height, width] = feature.shape;
  if (height * width > 1) return;
  const accepted = 'a layer with two positions or more: a larger image or a layer before';
  throw new ImageError(
    'TOO_SMALL',
    `${caller}: the features of ${layer} have ${height}x${width} positions, whose spread is 0; accepted: ${accepted}.`,
    { option: layer, value: feature.shape, accepted },
  );
}
