import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import type { LayerName } from './layer-name';

/** Feature maps by layer, each [1, height, width, channels]. The key `image` holds the image itself, [1, h, w, 3]. */
export type Features = Readonly<Partial<Record<LayerName, Tensor4D>>>;

/** The network at one image: its features, and the way back from them to the image. */
export interface Linearization {
  /** The layers that were asked for. They belong to the linearization: `dispose()` frees them. */
  readonly features: Features;
  /**
   * Gradient with respect to the image of the sum over layers of the inner products of features and cotangents
   * (a vector-Jacobian product). Layers may be left out; a cotangent has its feature's shape.
   * @returns the gradient [height, width, 3], which belongs to the caller
   */
  pullback(cotangents: Features): Image;
  /** Frees the features and all that the way back needed. Safe to call twice. */
  dispose(): void;
}

/**
 * A differentiable function from an image to the feature maps of a network. Write another by implementing this:
 * nothing else in the library knows which network it is.
 */
export interface FeatureExtractor {
  /** The network, for reports: `'vgg19'`. */
  readonly name: string;
  /** The layers that can be asked for, in the order of computation, `'image'` first. */
  readonly layers: readonly LayerName[];
  /**
   * Feature maps of `layers` at `image` [height, width, 3] in [0,1].
   * @returns the features, which belong to the caller (`tf.dispose(features)`)
   */
  extract(image: Image, layers: readonly LayerName[]): Features;
  /**
   * Like {@link extract}, but one layer at a time: each map is freed when `take` returns, so that memory holds one map
   * instead of all. Optional; callers fall back to {@link extract}.
   */
  extractEach?(
    image: Image,
    layers: readonly LayerName[],
    take: (layer: LayerName, feature: Tensor4D) => void,
  ): void;
  /** Like {@link extract}, and the way back. */
  linearize(image: Image, layers: readonly LayerName[]): Linearization;
  /** Frees the weights. Safe to call twice; every other use after it throws `DISPOSED`. */
  dispose(): void;
  /** What computes, for reports: `'tfjs'`, `'wasm'`. */
  readonly engine?: string | undefined;
  /** Threads that compute, for reports; undefined where the engine does not know, as on a GPU. */
  readonly threads?: number | undefined;
  /** Where the weights came from, for reports: `'VGG-19 from ../vgg19'`. */
  readonly weights?: string | undefined;
  /** True where no VGG-19 was found and the small network that comes with this package stands in. */
  readonly embedded?: boolean | undefined;
}
