import * as tf from '@tensorflow/tfjs-core';
import type { ImageInput } from '../image/to-image';
import { optionTable } from '../options/table';
import { owning } from '../owning';
import { meanOf } from '../sums';
import { withImagePair } from './image-pair';
import { ssimOptions } from './ssim-of-tensors';

/** Options of {@link psnr}. */
export interface PsnrOptions {
  /** The difference between the largest and the smallest value that a pixel can have. @default 1 */
  readonly dataRange?: number | undefined;
}

const psnrOptions = optionTable<PsnrOptions>()('psnr', { dataRange: ssimOptions.dataRange });

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
  const { dataRange } = psnrOptions.read(options);
  return withImagePair('psnr', { a, b }, (first, second) =>
    owning(async ({ temporary }) => {
      const meanSquare = temporary(tf.tidy(() => meanOf(tf.squaredDifference(first, second))));
      return 10 * Math.log10(dataRange ** 2 / (await meanSquare.data())[0]);
    }),
  );
}
