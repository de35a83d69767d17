import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { paperContentLayers } from '../features/vgg19/paper-layers';
import type { ImageInput } from '../image/to-image';
import { contentLoss } from '../losses/content-loss';
import { type Distance, distanceOption } from '../losses/distance';
import { optionTable } from '../options/table';
import { extractorOption, layersWithDefault, lossBetween, requireExtractor } from './feature-distance';
import { withImagePair } from './image-pair';

/** Options of {@link contentDistance}. */
export interface ContentDistanceOptions {
  /** The network that computes the features; not disposed. */
  readonly extractor: FeatureExtractor;
  /** Layers to compare. @default ['conv2_2'], Li et al. 2021 */
  readonly layers?: readonly LayerName[] | undefined;
  /** Mean of squared differences, or of magnitudes. @default 'mse' */
  readonly distance?: Distance | undefined;
}

const contentDistanceOptions = optionTable<ContentDistanceOptions>()('contentDistance', {
  extractor: extractorOption,
  layers: layersWithDefault(paperContentLayers),
  distance: distanceOption('mse'),
});

/**
 * The content loss as a measure: the sum over layers of mean((F - P)^2), F and P the feature maps of image and content
 * ({@link contentLoss}). Values are comparable only for the same network, layers and distance.
 *
 * @param image an image of any size that the network takes
 * @param content an image of the same size
 * @returns a number of at least 0; 0 for equal images
 * @throws ImageError if the sizes differ or a pixel is not finite; InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const distance = await contentDistance(stylised, content, { extractor });
 * ```
 */
export async function contentDistance(
  image: ImageInput,
  content: ImageInput,
  options: ContentDistanceOptions,
): Promise<number> {
  const { extractor, layers, distance } = contentDistanceOptions.read(options);
  requireExtractor('contentDistance', extractor, layers);
  return withImagePair('contentDistance', { image, content }, (first, second) =>
    lossBetween(first, second, extractor, layers, (target) => contentLoss(target, { distance })),
  );
}
