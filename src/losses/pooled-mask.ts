import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { sumOf } from '../sums';
import type { TermMask } from './term-mask';

/**
 * A mask at the size of a layer: halved by 2x2 means as often as the layer's feature map has been pooled, so that each
 * position has the average over the window that its pooling covers (Gatys et al. 2017).
 *
 * @param mask [height, width, 1] of the image
 * @returns [height, width, 1] of the layer; it belongs to the caller
 * @throws InvalidArgumentError `WRONG_SHAPE` if halving does not give the layer's size
 */
export function pooledMask(mask: tf.Tensor3D, height: number, width: number): tf.Tensor3D {
  return tf.tidy(() => {
    let pooled = mask;
    while (pooled.shape[0] > height && Math.min(pooled.shape[0], pooled.shape[1]) > 1)
      pooled = tf.avgPool(pooled, 2, 2, 'valid');
    if (pooled.shape[0] === height && pooled.shape[1] === width) return tf.clone(pooled);
    const [maskHeight, maskWidth] = mask.shape;
    const accepted = 'a mask of the size of the image';
    throw new InvalidArgumentError(
      'WRONG_SHAPE',
      `The mask is ${maskWidth}x${maskHeight} and halving it does not give ${width}x${height}, the size of a layer; accepted: ${accepted}.`,
      { option: 'mask', value: mask.shape, accepted },
    );
  });
}

/** The weights of a layer's positions. */
export interface PositionWeights {
  /** [height, width, 1] of the layer. */
  readonly weights: tf.Tensor3D;
  /**
   * The number of positions divided by what the weighted sum is divided by, which makes means of sums that are divided
   * by the number of positions. It is 1 for a mask of ones, and 0 for one of zeros.
   */
  readonly ratio: tf.Scalar;
}

/** The weights of a layer's positions by a term's mask; both tensors belong to the caller. */
export function positionWeights(mask: TermMask, height: number, width: number): PositionWeights {
  const weights = pooledMask(mask.weights, height, width);
  const ratio =
    mask.mean === 'positions'
      ? tf.scalar(1)
      : tf.tidy(() => tf.divNoNan<tf.Scalar>(tf.scalar(weights.size), sumOf(weights)));
  return { weights, ratio };
}
