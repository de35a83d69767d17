import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { Lifetime, owning } from '../owning';
import type { Distance } from './distance';
import type { ImageTarget, Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';

/** The part of an extractor that whole maps are computed by. */
type Extracting = Pick<FeatureExtractor, 'extract'>;

/**
 * The features of `layer` at an image as a target. It holds the image by reference count, without copying.
 *
 * @param extractor must outlive the target
 * @param image [height, width, 3]; not disposed, and not needed by the caller any more
 */
export function imageTarget(extractor: Extracting, image: Image, layer: LayerName): ImageTarget {
  const kept = tf.keep(tf.clone(image));
  const lifetime = new Lifetime('The target');
  return {
    image: kept,
    map() {
      lifetime.requireAlive();
      return extractor.extract(kept, [layer])[layer] as tf.Tensor4D;
    },
    dispose() {
      if (lifetime.end()) kept.dispose();
    },
  };
}

/** Name, layers and distance of a loss that compares feature maps. */
export interface ImageLoss {
  readonly name: 'content' | 'perceptual';
  readonly layers: readonly LayerName[];
  readonly distance: Distance;
  /** A factor for each layer, in the order of `layers`. @default 1 each */
  readonly weights?: readonly number[] | undefined;
}

/**
 * The same loss as `contentLoss` or `perceptualLoss` of the image's features, with the image in place of the features,
 * which an engine that works in tiles then never holds whole.
 *
 * @returns a loss that belongs to the caller; the extractor must outlive it
 */
export function lossOfImage(
  extractor: Extracting,
  image: Image,
  { name, layers, distance, weights = layers.map(() => 1) }: ImageLoss,
): Loss {
  return owning(({ result }) => {
    const terms = layers.map((layer, i) => {
      const target = result(imageTarget(extractor, image, layer));
      return { kind: 'feature' as const, layer, distance, target, weight: weights[i] };
    });
    return lossOfTerms(name, terms);
  });
}
