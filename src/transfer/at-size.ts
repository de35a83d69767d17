import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import type { Size } from '../image/size-rule';
import { imageFrom } from '../image/to-image';

/** An image resized; always a new tensor, which belongs to the caller. */
export async function atSize(option: string, image: Image, size: Size): Promise<Image> {
  const [height, width] = image.shape;
  return width === size.width && height === size.height ? tf.clone(image) : imageFrom(option, image, size);
}
