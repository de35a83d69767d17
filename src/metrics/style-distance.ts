import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { type ImageInput, imageFrom } from '../image/to-image';
import type { GramNormalization } from '../losses/gram-matrix';
import { styleLoss } from '../losses/style-loss';
import { requireKnownOptions } from '../options/validate';
import { readNumbers } from './image-pair';
import { requireExtractor } from './require-extractor';
import { valueOnce } from './value-once';

/** Options of {@link styleDistance}. */
export interface StyleDistanceOptions {
  /** Computes the features; not disposed. */
  readonly extractor: FeatureExtractor;
  /** Layers to compare. @default conv1_1, conv1_2, conv2_1, conv2_2, conv3_1, Li et al. 2021 */
  readonly layers?: readonly LayerName[] | undefined;
  /** How Gram matrices are scaled. @default 'elements' */
  readonly normalization?: GramNormalization | undefined;
}

/** Li et al. 2021, fig. 1: the first five convolutions. */
const firstConvolutions: readonly LayerName[] = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'];

/**
 * The style loss as a measure: the sum over layers of mean((G - A)^2), G and A the Gram matrices of image and style ({@link styleLoss}).
 * The images may differ in size. Compares only with values of the same network, layers and normalisation.
 *
 * @param image an image of any size that the network takes
 * @param style an image, of another size or not
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
  requireKnownOptions('styleDistance', options, ['extractor', 'layers', 'normalization']);
  const { extractor, layers = firstConvolutions, normalization } = options;
  requireExtractor('styleDistance', extractor, layers);
  const images: Image[] = [];
  try {
    images.push(await imageFrom('image', image));
    images.push(await imageFrom('style', style));
    const [value] = await readNumbers(() => {
      const loss = styleLoss(extractor.extract(images[1], layers), { normalization });
      return valueOnce(loss, extractor.extract(images[0], layers));
    });
    return value;
  } finally {
    tf.dispose(images);
  }
}
