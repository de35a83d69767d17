import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { deepestLayer } from '../features/vgg19/layers';
import { optionTable } from '../options/table';
import { type Distance, distanceOption } from './distance';
import { featureTerms } from './feature-terms';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';
import { layersOption, targetLayers } from './require-features';

/** Options of {@link perceptualLoss}. */
export interface PerceptualLossOptions {
  /** Layers to compare. @default the deepest layer of the target */
  readonly layers?: readonly LayerName[] | undefined;
  /** `'mse'` as Johnson et al. 2016, eq. 2. @default 'mse' */
  readonly distance?: Distance | undefined;
}

const perceptualLossOptions = optionTable<PerceptualLossOptions>()('perceptualLoss', {
  layers: layersOption,
  distance: distanceOption('mse'),
});

/**
 * The feature reconstruction loss of Johnson et al. 2016 (eq. 2): mean((F - T)^2) at high layers, whose features
 * describe the objects in a picture rather than its pixels.
 *
 * Li et al. 2021 (fig. 3) add a "perceptual loss" that compares images "in high-level semantic information" and give no
 * formula. We read it as this one, against the content image's features. Where their text says "style image", pass the
 * features of the style image resized to the content's size instead.
 *
 * @param target features to come close to, [1, h, w, c] each; not disposed
 * @returns a loss named `perceptual`; it belongs to the caller
 * @throws InvalidArgumentError if a layer is not in the target
 * @example
 * ```ts
 * const loss = perceptualLoss(extractor.extract(content, ['relu3_1']));
 * ```
 */
export function perceptualLoss(target: Features, options: PerceptualLossOptions = {}): Loss {
  const { distance, layers } = perceptualLossOptions.read(options);
  const there = targetLayers('perceptualLoss', target, layers);
  const deepest = deepestLayer(there) ?? there[there.length - 1];
  const compared = layers ? there : [deepest];
  return lossOfTerms('perceptual', featureTerms('perceptualLoss', target, compared, distance));
}
