import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import type { Loss } from '../losses/loss';
import type { Objective } from '../objective';
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
  /** What computes, for reports: `'vgg19'`. */
  readonly name: string;
  /** How it computes, for reports: `'tfjs'`, `'wasm'`. */
  readonly engine: string;
  /** Where the weights came from, for reports: `'VGG-19 from ../vgg19'`. */
  readonly weights: string;
  /** Set where no VGG-19 was to be had and the small network that comes with this package stands in. */
  readonly embedded?: boolean | undefined;
  /** The layers that can be asked for, in the order of computation, `'image'` first. */
  readonly layers: readonly LayerName[];
  /**
   * Feature maps of `layers` at `image` [height, width, 3] in [0,1].
   * @returns the features, which belong to the caller (`tf.dispose(features)`)
   */
  extract(image: Image, layers: readonly LayerName[]): Features;
  /**
   * Like {@link extract}, but hands out one layer at a time, which is freed when `take` returns: for those who need a number or a
   * small matrix of each, without the memory for all. Left out, there is only {@link extract}.
   */
  extractEach?(
    image: Image,
    layers: readonly LayerName[],
    take: (layer: LayerName, feature: Tensor4D) => void,
  ): void;
  /**
   * Asks, before any work, whether losses at `layers` can be minimised at a size. Left out, nobody knows.
   * @param targets layers with a target of the whole feature map's size
   * @throws EnvironmentError `OUT_OF_MEMORY` with an estimate if they cannot
   */
  requireRoom?(
    layers: readonly LayerName[],
    size: readonly [height: number, width: number],
    targets?: readonly LayerName[],
  ): void;
  /** Like {@link extract}, and the way back. */
  linearize(image: Image, layers: readonly LayerName[]): Linearization;
  /**
   * A faster path from image to loss and gradient for losses that describe themselves as data ({@link Loss.terms}),
   * for images of one size. Left out, or answering undefined, the objective goes through {@link linearize}.
   */
  objective?(loss: Loss, size: readonly [height: number, width: number]): Objective | undefined;
  /** Frees the weights. Safe to call twice. */
  dispose(): void;
}
