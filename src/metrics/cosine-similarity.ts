import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { ImageInput } from '../image/to-image';
import { any, optionTable } from '../options/table';
import { owning } from '../owning';
import { cosineSimilarityOfTensors } from './cosine-similarity-of-tensors';
import { extractorOption, requireExtractor } from './feature-distance';
import { withImagePair } from './image-pair';

/** Options of {@link cosineSimilarity}. */
export type CosineSimilarityOptions =
  | {
      /** Compares feature maps of this layer instead of pixels. */
      readonly layer: LayerName;
      /** The network that computes the feature maps; not disposed. */
      readonly extractor: FeatureExtractor;
    }
  | { readonly layer?: undefined; readonly extractor?: undefined };

const cosineSimilarityOptions = optionTable<{
  readonly layer?: LayerName | undefined;
  readonly extractor?: FeatureExtractor | undefined;
}>()('cosineSimilarity', {
  layer: any<LayerName>('the name of a layer', (value) => typeof value === 'string'),
  extractor: extractorOption,
});

/**
 * Cosine of the angle between two images read as vectors, a.b / (|a| |b|): of all pixels and channels, or of the
 * feature maps of a layer. {@link cosineSimilarityOfTensors} is the same as a differentiable function.
 *
 * Two black images have 1 (they are equal), a black one and another 0.
 *
 * @param a an image of any size
 * @param b an image of the same size
 * @returns a number in [0, 1] for pixels and features after a ReLU, in [-1, 1] before one
 * @throws ImageError if the sizes differ or a pixel is not finite; InvalidArgumentError if an option is wrong, or the
 *   extractor has no such layer
 * @example
 * ```ts
 * const pixels = await cosineSimilarity(stylised, style);
 * const features = await cosineSimilarity(stylised, style, { layer: 'relu3_1', extractor });
 * ```
 */
export async function cosineSimilarity(
  a: ImageInput,
  b: ImageInput,
  options: CosineSimilarityOptions = {},
): Promise<number> {
  const { layer, extractor } = cosineSimilarityOptions.read(options);
  const layers = layer === undefined ? undefined : [layer];
  if (layers || extractor) requireExtractor('cosineSimilarity', extractor, layers);
  return withImagePair('cosineSimilarity', { a, b }, (first, second) =>
    owning(async ({ temporary }) => {
      const [x, y] =
        layer && extractor
          ? [first, second].map((image) => temporary(extractor.extract(image, [layer]))[layer] ?? image)
          : [first, second];
      const cosine = temporary(cosineSimilarityOfTensors(x, y));
      return Math.min(1, Math.max(-1, (await cosine.data())[0]));
    }),
  );
}
