import * as tf from '@tensorflow/tfjs-core';
import type { ImageInput } from '../image/to-image';
import { requireKnownOptions, requireNumber } from '../options/validate';
import { readNumbers, withImagePair } from './image-pair';

/** Options of {@link psnr}. */
export interface PsnrOptions {
  /** The difference between the largest and the smallest value that a pixel can have. @default 1 */
  readonly dataRange?: number | undefined;
}

/**
 * Peak signal-to-noise ratio in decibels: 10 log10(L^2 / mean((a - b)^2)) over all channels, L the data range.
 *
 * @param a an image of any size
 * @param b an image of the same size
 * @returns a number of at least 0 for images in [0,1]; `Infinity` for equal ones
 * @throws ImageError if the sizes differ or a pixel is not finite; InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const decibels = await psnr(stylised, content);
 * ```
 */
export async function psnr(a: ImageInput, b: ImageInput, options: PsnrOptions = {}): Promise<number> {
  requireKnownOptions('psnr', options, ['dataRange']);
  const { dataRange = 1 } = options;
  requireNumber('dataRange', dataRange, { min: 0, exclusive: true });
  return withImagePair('psnr', { a, b }, async (first, second) => {
    // Row by row first: one float32 accumulator loses digits over a million summands.
    const [meanSquare] = await readNumbers(() => {
      return tf.mean(tf.mean(tf.squaredDifference(first, second), [1, 2]));
    });
    return 10 * Math.log10(dataRange ** 2 / meanSquare);
  });
}
