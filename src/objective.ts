import type { Scalar } from '@tensorflow/tfjs-core';
import type { Image } from './image/image';

/** A loss and its gradient at one image. All tensors belong to the caller. */
export interface Evaluation {
  readonly value: Scalar;
  /** With respect to the image, [height, width, 3]. */
  readonly gradient: Image;
  /** The weighted contribution of each leaf of the loss by its name; they add up to `value`. */
  readonly terms: Readonly<Record<string, Scalar>>;
}

/** What an optimiser minimises: image -> value, gradient, terms. Nothing is read back from the device. */
export interface Objective {
  evaluate(image: Image): Evaluation;
  /** Frees what the objective made for itself, never the extractor or the loss. Safe to call twice. */
  dispose(): void;
}
