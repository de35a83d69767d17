import { optionTable } from '../options/table';
import { type Distance, distanceOption } from './distance';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';

/** Options of {@link totalVariationLoss}. */
export interface TotalVariationLossOptions {
  /**
   * `'mse'`, squares of the differences between neighbours (smooth everywhere; Johnson et al. 2016 with exponent 1), or
   * `'l1'`, their magnitudes (anisotropic total variation proper).
   * @default 'mse'
   */
  readonly distance?: Distance | undefined;
}

const totalVariationLossOptions = optionTable<TotalVariationLossOptions>()('totalVariationLoss', {
  distance: distanceOption('mse'),
});

/**
 * Roughness of an image: the mean over horizontal neighbours plus the mean over vertical neighbours of their squared
 * difference (or its magnitude). A mean, so it does not depend on the image's size; never a square root, so its
 * gradient is finite on flat areas.
 *
 * @returns a loss named `totalVariation` of the layer `image`; an image one pixel wide or high has no neighbours that
 *   way, which adds 0
 * @throws InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const loss = sum([contentLoss(target), weighted(0.1, totalVariationLoss())]);
 * ```
 */
export function totalVariationLoss(options: TotalVariationLossOptions = {}): Loss {
  const { distance } = totalVariationLossOptions.read(options);
  return lossOfTerms('totalVariation', [{ kind: 'totalVariation', layer: 'image', distance, weight: 1 }]);
}
