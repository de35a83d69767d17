import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import { owning } from '../owning';
import { requireLoss } from './compose';
import type { Loss } from './loss';
import { maskLoss } from './mask-loss';

/** The weight of each pixel, [height, width] or [height, width, 1], in [0,1]. */
export type Mask = tf.Tensor2D | tf.Tensor3D;

/**
 * Restricts a loss to a region of the image (Gatys, Ecker, Bethge, Hertzmann & Shechtman 2017). Every layer is weighted
 * by T, the average of the mask over the window of pixels that the position's pooling covers:
 *
 * - Gram matrices are guided: sum_k T_k F_ki F_kj / sum_k T_k in place of the mean over positions, so that the size of
 *   a region does not change its strength. The target's Gram matrices stay as they are.
 * - Means, variances and covariances of the statistics `'mean-variance'` and `'wasserstein'` are weighted by T alike.
 * - Feature and pixel distances are means over positions weighted by T.
 * - Total variation is the mean over neighbours weighted by the product of their T.
 *
 * A mask of ones equals no mask, to the bit (on the webgpu engine to rounding); one of zeros makes distances 0 and Gram
 * matrices 0. Soft masks blend. A mask within a mask is the product of both. On the engines wasm and webgpu Gram
 * matrices, moments and distances of features have kernels for masks, and images may be computed by tiles.
 *
 * @param mask [height, width] or [height, width, 1] of the image that is made, in [0,1], 1 where the loss counts; not
 *   disposed, and not needed by the caller any more
 * @param loss a loss of this library but `mrfLoss`, `edgeLoss` and the statistic `'histogram'`, which compare what has
 *   no weight of its own; or a `sum` or `weighted` of such losses; the result owns it
 * @returns a loss with the names of the given one; it belongs to the caller
 * @throws InvalidArgumentError if the mask has another shape or values outside of [0,1], or the loss is one of
 *   these or a custom loss, which must apply a mask itself. At evaluation, if the mask has another size than the image
 * @example
 * ```ts
 * const sky = tf.tensor2d(maskPixels, [height, width]); // 1 in the sky, 0 elsewhere
 * const loss = sum([contentLoss(content), weighted(1e6, within(sky, styleLoss(painting)))]);
 * ```
 */
export function within(mask: Mask, loss: Loss): Loss {
  requireMask('mask', mask);
  requireLoss('loss', loss);
  return owning(({ temporary }) => {
    const [height, width] = mask.shape;
    const weights = temporary(tf.tidy(() => tf.reshape<tf.Rank.R3>(tf.clone(mask), [height, width, 1])));
    return maskLoss({ weights, mean: 'weights' }, loss);
  });
}

/** Throws unless `mask` is a {@link Mask}. @param option the argument's name */
export function requireMask(option: string, mask: unknown): asserts mask is Mask {
  const accepted = 'a tensor [height, width] or [height, width, 1] of numbers in [0,1]';
  const shape = mask instanceof tf.Tensor ? mask.shape : [];
  const fits = shape.length === 2 || (shape.length === 3 && shape[2] === 1);
  if (!(mask instanceof tf.Tensor && fits && mask.size > 0 && mask.dtype === 'float32')) {
    const found = mask instanceof tf.Tensor ? `a ${mask.dtype} tensor [${mask.shape}]` : showValue(mask);
    throw new InvalidArgumentError('WRONG_SHAPE', `${option} is ${found}; accepted: ${accepted}.`, {
      option,
      value: mask,
      accepted,
    });
  }
  // WebGPU cannot be read synchronously; there, a NaN in the mask makes the loss NaN, which evaluation reports.
  if (tf.getBackend() === 'webgpu') return;
  const wrong = mask.dataSync<'float32'>().find((value) => !(value >= 0 && value <= 1));
  if (wrong === undefined) return;
  throw new InvalidArgumentError(
    'OUT_OF_RANGE',
    `${option} has the number ${wrong}; accepted: ${accepted}.`,
    {
      option,
      value: wrong,
      accepted,
    },
  );
}
