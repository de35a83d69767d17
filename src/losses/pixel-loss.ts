import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { optionTable } from '../options/table';
import { owning } from '../owning';
import { type Distance, distanceOption } from './distance';
import { featureTerms } from './feature-terms';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';

/** Options of {@link pixelLoss}. */
export interface PixelLossOptions {
  /** `'l1'` is Li et al. 2021, eq. 5 as printed. @default 'l1' */
  readonly distance?: Distance | undefined;
}

const pixelLossOptions = optionTable<PixelLossOptions>()('pixelLoss', { distance: distanceOption('l1') });

/**
 * Distance of the image itself from another: mean(|x - target|) or mean((x - target)^2) over pixels and colours.
 * It reads the feature key `image`, so it composes like any other loss.
 *
 * @param target [height, width, 3] in [0,1]; not disposed
 * @returns a loss named `pixel`; it belongs to the caller
 * @throws ImageError if the target is not an image; InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const loss = sum([styleLoss(style), weighted(0.1, pixelLoss(content))]);
 * ```
 */
export function pixelLoss(target: Image, options: PixelLossOptions = {}): Loss {
  const { distance } = pixelLossOptions.read(options);
  requireImage('target', target);
  return owning(({ temporary }) => {
    const image = temporary(tf.expandDims<tf.Tensor4D>(target, 0));
    return lossOfTerms('pixel', featureTerms('pixelLoss', { image }, ['image'], distance));
  });
}
