import type * as tf from '@tensorflow/tfjs-core';
import type { RgbImage } from '../result';

/** The pixels of an image, for the way to the page. */
export async function pixelsOf(image: tf.Tensor3D): Promise<RgbImage> {
  const [height, width] = image.shape;
  // A copy: values of a tensor may be a part of the backend's memory.
  const data = new Float32Array(await image.data<'float32'>());
  return { data, width, height, channels: 3 };
}

/** Those of some things that can move. */
export const moving = (...things: readonly object[]): Transferable[] =>
  things.filter(
    (thing): thing is ArrayBuffer | ImageBitmap =>
      thing instanceof ArrayBuffer || (typeof ImageBitmap === 'function' && thing instanceof ImageBitmap),
  );
