import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import type { LayerName } from './layer-name';
import type { Padding } from './padding';

/** Feature maps by layer, each [1, height, width, channels]. The key `image` holds the image itself, [1, h, w, 3]. */
export type Features = Readonly<Partial<Record<LayerName, Tensor4D>>>;

/** A network linearised at one image: its features, and the backward pass from them to the image. */
export interface Linearization {
  /** The requested layers. They belong to the linearization: `dispose()` frees them. */
  readonly features: Features;
  /**
   * Gradient with respect to the image of the sum over layers of the inner products of features and cotangents
   * (a vector-Jacobian product). Layers may be omitted; a cotangent has the shape of its feature.
   * @returns the gradient [height, width, 3], which belongs to the caller
   */
  pullback(cotangents: Features): Image;
  /** Frees the features and the memory of the backward pass. Safe to call twice. */
  dispose(): void;
}

/** What a network is, for files that are valid only with it. */
export interface NetworkIdentity {
  /** Name of the network: `'vgg19'`. */
  readonly network: string;
  /** Its pooling; undefined if it has none. */
  readonly pooling: 'max' | 'average' | undefined;
  /** Padding of its first convolution. @default 'zero' */
  readonly padding?: Padding | undefined;
  /**
   * SHA-256 (hexadecimal) of the weights that the layers up to `lastLayer` are computed with.
   * @param lastLayer layers after it do not count @default the last layer
   */
  weightsHash(lastLayer?: LayerName): Promise<string>;
}

/**
 * A differentiable function from an image to the feature maps of a network. Implement this interface for another
 * network: nothing else in the library depends on the network.
 */
export interface FeatureExtractor {
  /** Name of the network in reports: `'vgg19'`. */
  readonly name: string;
  /** The available layers, in the order of computation, `'image'` first. */
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
  /** Like {@link extract}, with the backward pass. */
  linearize(image: Image, layers: readonly LayerName[]): Linearization;
  /** Frees the weights. Safe to call twice; any later use of the extractor throws `DISPOSED`. */
  dispose(): void;
  /** Name of the engine in reports: `'tfjs'`, `'wasm'`. */
  readonly engine?: string | undefined;
  /** Number of threads, for reports; undefined if the engine does not know it, as on a GPU. */
  readonly threads?: number | undefined;
  /** Source of the weights, for reports: `'VGG-19 from ../vgg19'`. */
  readonly weights?: string | undefined;
  /** True if the small network of this package replaces VGG-19. */
  readonly embedded?: boolean | undefined;
  /** What the network is, for style files and records of settings; undefined if the extractor does not know it. */
  readonly identity?: NetworkIdentity | undefined;
}
