import { InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { flag, number, optionTable } from '../options/table';
import { type Distance, distanceOption } from './distance';
import { featureTerms } from './feature-terms';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';
import { layersOption, requireFeature, targetLayers } from './require-features';
import { spreadOf } from './spread';

/** Options of {@link contentLoss}. */
export interface ContentLossOptions {
  /** `'mse'` as Gatys et al. 2016, eq. 1, up to its constant factor; `'l1'` as Li et al. 2021, eq. 5. @default 'mse' */
  readonly distance?: Distance | undefined;
  /**
   * Whether each layer's distance is divided by the variance of the target's features about their channels' means: 1 is
   * then as far as a picture of which only those means are left, at every layer and for every image.
   * @default false
   */
  readonly relative?: boolean | undefined;
  /**
   * Least variance that `relative` divides by, above 0: a flat image, whose features hardly vary, then counts no more
   * than one of this variance. Only beside `relative`.
   * @default a hundredth of the mean square of the target's features
   */
  readonly floor?: number | undefined;
  /** Layers to compare. @default every layer of the target */
  readonly layers?: readonly LayerName[] | undefined;
}

const contentLossOptions = optionTable<ContentLossOptions>()('contentLoss', {
  distance: distanceOption('mse'),
  relative: flag({ default: false }),
  floor: number({ min: 0, exclusive: true }),
  layers: layersOption,
});

/**
 * Distance of an image's feature maps from the content image's: the sum over layers of mean((F - P)^2) or of
 * mean(|F-P|), with `relative` divided by the variance of P, or by `floor` where that is larger. Li et al. 2021 compare
 * conv2_2, Gatys et al. 2016 relu4_2.
 *
 * @param target the content image's features, [1, h, w, c] each; not disposed, and not needed by the caller any more
 * @returns a loss named `content`; it belongs to the caller
 * @throws InvalidArgumentError if a layer is not in the target, or `floor` is given without `relative`
 * @example
 * ```ts
 * const target = extractor.extract(content, ['conv2_2']);
 * const loss = contentLoss(target, { distance: 'l1' });
 * ```
 */
export function contentLoss(target: Features, options: ContentLossOptions = {}): Loss {
  const { distance, relative, floor = 0, layers } = contentLossOptions.read(options);
  if (!relative) requireNoFloor(options.floor);
  const compared = targetLayers('contentLoss', target, layers);
  const weights = compared.map((layer) =>
    relative ? 1 / Math.max(spreadOf(requireFeature('contentLoss', target, layer)), floor) : 1,
  );
  return lossOfTerms('content', featureTerms('contentLoss', target, compared, distance, weights));
}

function requireNoFloor(floor: number | undefined): void {
  if (floor === undefined) return;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    'floor has no effect without relative: nothing is divided by a variance. Leave it out, or set relative.',
    { option: 'floor', value: floor, accepted: 'floor beside relative: true' },
  );
}
