import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { requireKnownOptions, requireName } from '../options/validate';
import { type Distance, distances } from './distance';
import { featureLoss } from './feature-loss';
import type { Loss } from './loss';
import { targetLayers } from './targets';

/** Options of {@link contentLoss}. */
export interface ContentLossOptions {
  /** `'mse'` as Gatys et al. 2016, eq. 1, up to its constant factor; `'l1'` as Li et al. 2021, eq. 5. @default 'mse' */
  readonly distance?: Distance | undefined;
  /** Layers to compare. @default every layer of the target */
  readonly layers?: readonly LayerName[] | undefined;
}

/**
 * How far an image's feature maps are from the content image's: the sum over layers of mean((F - P)^2) or mean(|F - P|).
 * Li et al. 2021 compare conv2_2, Gatys et al. 2016 relu4_2.
 *
 * @param target the content image's features, [1, h, w, c] each; not disposed, and not needed by the caller any more
 * @returns a loss named `content`; it belongs to the caller
 * @throws InvalidArgumentError if a layer is not in the target
 * @example
 * ```ts
 * const target = extractor.extract(content, ['conv2_2']);
 * const loss = contentLoss(target, { distance: 'l1' });
 * ```
 */
export function contentLoss(target: Features, options: ContentLossOptions = {}): Loss {
  requireKnownOptions('contentLoss', options, ['distance', 'layers']);
  const { distance = 'mse', layers } = options;
  requireName('distance', distance, distances);
  return featureLoss('content', target, targetLayers('contentLoss', target, layers), distance);
}
