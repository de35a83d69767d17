import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { requireKnownOptions, requireName } from '../options/validate';
import { type Distance, distances } from './distance';
import { featureLoss } from './feature-loss';
import type { Loss } from './loss';

/** Options of {@link pixelLoss}. */
export interface PixelLossOptions {
  /** `'l1'` is Li et al. 2021, eq. 5 as printed. @default 'l1' */
  readonly distance?: Distance | undefined;
}

/**
 * How far the image itself is from another: mean(|x - target|) or mean((x - target)^2) over pixels and colours.
 * It reads the feature key `image`, so it composes like any other loss.
 *
 * @param target [height, width, 3] in [0,1]; not disposed
 * @returns a loss named `pixel`; it belongs to the caller
 * @throws ImageError if the target is no image
 */
export function pixelLoss(target: Image, options: PixelLossOptions = {}): Loss {
  requireKnownOptions('pixelLoss', options, ['distance']);
  const { distance = 'l1' } = options;
  requireName('distance', distance, distances);
  requireImage('target', target);
  const image = tf.expandDims(target, 0) as tf.Tensor4D;
  const loss = featureLoss('pixel', { image }, ['image'], distance);
  image.dispose();
  return loss;
}
