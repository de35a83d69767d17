import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import { greyLevels } from './grey-levels';
import { type Channels, toPlanes } from './planes';

/**
 * The planes of both images that SSIM compares, [planes, height, width, 1] each; they belong to the caller.
 * Grey is rounded to 8 bits, as `rgb2gray` and scikit-image's users do: unrounded, SSIM differs in the fourth digit.
 */
export async function comparedPlanes(
  a: Image,
  b: Image,
  channels: Channels,
): Promise<[a: tf.Tensor4D, b: tf.Tensor4D]> {
  if (channels === 'rgb') return [toPlanes(a, channels), toPlanes(b, channels)];
  const [height, width] = a.shape;
  const greys = [greyLevels(await a.data()), greyLevels(await b.data())];
  const [first, second] = greys.map((levels) => {
    const values = Float32Array.from(levels, (level) => level / 255);
    return tf.tensor4d(values, [1, height, width, 1]);
  });
  return [first, second];
}
