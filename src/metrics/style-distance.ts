import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { paperLayers } from '../features/vgg19/paper-layers';
import { type ImageInput, imageFrom } from '../image/to-image';
import { type GramNormalization, gramNormalizationOption } from '../losses/gram-matrix';
import { styleLoss } from '../losses/style-loss';
import { optionTable } from '../options/table';
import { owning } from '../owning';
import { extractorOption, layersWithDefault, lossBetween, requireExtractor } from './feature-distance';

/** Options of {@link styleDistance}. */
export interface StyleDistanceOptions {
  /** The network that computes the features; not disposed. */
  readonly extractor: FeatureExtractor;
  /** Layers to compare. @default conv1_1, conv1_2, conv2_1, conv2_2, conv3_1, Li et al. 2021 */
  readonly layers?: readonly LayerName[] | undefined;
  /** How Gram matrices are scaled. @default 'elements' */
  readonly normalization?: GramNormalization | undefined;
}

const styleDistanceOptions = optionTable<StyleDistanceOptions>()('styleDistance', {
  extractor: extractorOption,
  layers: layersWithDefault(paperLayers),
  normalization: gramNormalizationOption,
});

/**
 * The style loss as a measure: the sum over layers of mean((G - A)^2), G and A the Gram matrices of image and style
 * ({@link styleLoss}). The images may differ in size. Values are comparable only for the same network, layers and
 * normalisation.
 *
 * @param image an image of any size that the network takes
 * @param style an image of any size
 * @returns a number of at least 0; 0 for equal images
 * @throws ImageError if a pixel is not finite; InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const distance = await styleDistance(stylised, style, { extractor });
 * ```
 */
export async function styleDistance(
  image: ImageInput,
  style: ImageInput,
  options: StyleDistanceOptions,
): Promise<number> {
  const { extractor, layers, normalization } = styleDistanceOptions.read(options);
  requireExtractor('styleDistance', extractor, layers);
  return owning(async ({ temporary }) => {
    const first = temporary(await imageFrom('image', image));
    const second = temporary(await imageFrom('style', style));
    return lossBetween(first, second, extractor, layers, (target) => styleLoss(target, { normalization }));
  });
}
