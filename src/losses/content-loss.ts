import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { optionTable } from '../options/table';
import { type Distance, distanceOption } from './distance';
import { featureTerms } from './feature-terms';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';
import { layersOption, targetLayers } from './require-features';

/** Options of {@link contentLoss}. */
export interface ContentLossOptions {
  /** `'mse'` as Gatys et al. 2016, eq. 1, up to its constant factor; `'l1'` as Li et al. 2021, eq. 5. @default 'mse' */
  readonly distance?: Distance | undefined;
  /** Layers to compare. @default every layer of the target */
  readonly layers?: readonly LayerName[] | undefined;
}

const contentLossOptions = optionTable<ContentLossOptions>()('contentLoss', {
  distance: distanceOption('mse'),
  layers: layersOption,
});

/**
 * Distance of an image's feature maps from the content image's: the sum over layers of mean((F - P)^2) or of
 * mean(|F-P|). Li et al. 2021 compare conv2_2, Gatys et al. 2016 relu4_2.
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
  const { distance, layers } = contentLossOptions.read(options);
  const compared = targetLayers('contentLoss', target, layers);
  return lossOfTerms('content', featureTerms('contentLoss', target, compared, distance));
}
