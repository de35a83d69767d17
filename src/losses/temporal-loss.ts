import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { owning } from '../owning';
import { featureTerms } from './feature-terms';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';
import { maskLoss } from './mask-loss';
import { type Mask, requireMask } from './within';

/**
 * Short-term temporal consistency of a frame of a film (Ruder, Dosovitskiy & Brox 2016, eq. 6 and 7): the squared
 * difference from the previous result, moved along with the picture's motion, where that motion is known.
 *
 * mean over pixels k and colours of c_k (x_k - w_k)^2. The mean is over all pixels: where c is 0, the frame is free.
 * The loss describes itself by a term, so the wasm engine computes it together with style and content.
 *
 * @param warped [height, width, 3] in [0,1], the previous result w at the positions of this frame, as `warp` makes it;
 *   not disposed, and not needed by the caller any more
 * @param reliability [height, width] or [height, width, 1] in [0,1], the weights c, as `flowReliability` makes them;
 *   not disposed, and not needed by the caller any more
 * @returns a loss named `temporal`; it belongs to the caller
 * @throws ImageError if `warped` is not an image; InvalidArgumentError if `reliability` has another size or values
 *   outside of [0,1]
 * @example
 * ```ts
 * const loss = sum([styleLoss(style), weighted(1e3, temporalLoss(warp(previous, backward), reliability))]);
 * ```
 */
export function temporalLoss(warped: Image, reliability: Mask): Loss {
  requireImage('warped', warped);
  requireMask('reliability', reliability);
  const [height, width] = warped.shape;
  if (reliability.shape[0] !== height || reliability.shape[1] !== width) {
    const accepted = `[${height}, ${width}], the size of the image`;
    throw new InvalidArgumentError(
      'WRONG_SHAPE',
      `reliability has the shape [${reliability.shape}]; accepted: ${accepted}.`,
      { option: 'reliability', value: reliability.shape, accepted },
    );
  }
  return owning(({ temporary }) => {
    const image = temporary(tf.expandDims<tf.Tensor4D>(warped, 0));
    const weights = temporary(tf.reshape<tf.Rank.R3>(reliability, [height, width, 1]));
    const terms = featureTerms('temporalLoss', { image }, ['image'], 'mse');
    return maskLoss({ weights, mean: 'positions' }, lossOfTerms('temporal', terms));
  });
}
