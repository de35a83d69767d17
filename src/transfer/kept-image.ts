import * as tf from '@tensorflow/tfjs-core';
import { canBeLost, requireDevice } from '../backends/lost-device';
import type { Image } from '../image/image';

/** An image of a run, made on demand. */
export interface Kept {
  readonly loss: number;
  /** Of all stages. */
  readonly evaluations: number;
  image(): Image;
}

/** Pause between copies, which each take a read-back. */
const intervalMs = 1000;

/**
 * The best image of a run, copied to ordinary memory about once a second where the device that computes can be lost:
 * what is left when it is.
 */
export class KeptImage {
  private readonly wanted = canBeLost();
  private found: Kept | undefined;
  private stage = -1;
  private last = Number.NEGATIVE_INFINITY;

  /** The last copy. */
  get kept(): Kept | undefined {
    return this.found;
  }

  /** @param image makes the image, which is disposed */
  async keep(stage: number, { loss, evaluations, image }: Kept): Promise<void> {
    if (!this.wanted) return;
    // Losses of different sizes do not compare.
    const better = stage !== this.stage || loss <= (this.found?.loss ?? Number.POSITIVE_INFINITY);
    if (!better || (stage === this.stage && performance.now() - this.last < intervalMs)) return;
    const made = image();
    const { shape } = made;
    const values = await made.data().finally(() => made.dispose());
    requireDevice();
    this.found = { loss, evaluations, image: () => tf.tensor3d(values as Float32Array, shape) };
    this.stage = stage;
    this.last = performance.now();
  }
}
