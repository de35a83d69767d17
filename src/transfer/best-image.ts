import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';

/** Keeps the best image of a run, also for the case that the run is aborted or fails. */
export class BestImage {
  private image: Image;
  private lowest = Number.POSITIVE_INFINITY;
  private evaluated = 0;

  /** @param start remains the caller's */
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

  /** Copies an image if its loss is the lowest so far. */
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
