import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { ImageInput } from '../image/to-image';
import { contentLoss } from '../losses/content-loss';
import type { Distance } from '../losses/distance';
import { requireKnownOptions } from '../options/validate';
import { readNumbers, withImagePair } from './image-pair';
import { requireExtractor } from './require-extractor';
import { valueOnce } from './value-once';

/** Options of {@link contentDistance}. */
export interface ContentDistanceOptions {
  /** Computes the features; not disposed. */
  readonly extractor: FeatureExtractor;
  /** Layers to compare. @default ['conv2_2'], Li et al. 2021 */
  readonly layers?: readonly LayerName[] | undefined;
  /** Mean of squared differences, or of magnitudes. @default 'mse' */
  readonly distance?: Distance | undefined;
}

/**
 * The content loss as a measure: the sum over layers of mean((F - P)^2), F and P the feature maps of image and content ({@link contentLoss}).
 * Compares only with values of the same network, layers and distance.
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
  requireKnownOptions('contentDistance', options, ['extractor', 'layers', 'distance']);
  const { extractor, layers = ['conv2_2'], distance } = options;
  requireExtractor('contentDistance', extractor, layers);
  return withImagePair('contentDistance', { image, content }, async (first, second) => {
    const [value] = await readNumbers(() => {
      const loss = contentLoss(extractor.extract(second, layers), { distance });
      return valueOnce(loss, extractor.extract(first, layers));
    });
    return value;
  });
}
