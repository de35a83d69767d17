import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';

/** Keeps the best image that a run has found, so that nothing is lost when the run is aborted or fails. */
export class BestImage {
  private image: Image;
  private lowest = Number.POSITIVE_INFINITY;
  private evaluated = 0;

  /** @param start stays the caller's */
  constructor(start: Image) {
    this.image = tf.clone(start);
  }

  /** Loss of the best image; infinite before the first evaluation. */
  get loss(): number {
    return this.lowest;
  }

  /** Evaluations so far. */
  get evaluations(): number {
    return this.evaluated;
  }

  /** Takes a copy of an image if its loss is the lowest so far. */
  offer(image: Image, loss: number, evaluations: number): void {
    this.evaluated = evaluations;
    if (!(loss < this.lowest)) return;
    this.image.dispose();
    this.image = tf.clone(image);
    this.lowest = loss;
  }

  /** A copy of the best image, which belongs to the caller. */
  copy(): Image {
    return tf.clone(this.image);
  }

  dispose(): void {
    this.image.dispose();
  }
}
