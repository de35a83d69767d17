import * as tf from '@tensorflow/tfjs-core';
import type { ImageInput } from '../image/to-image';
import { flag, optionTable } from '../options/table';
import { withImagePair } from './image-pair';
import { readPlanes } from './planes';
import { ssimOfPlanes } from './ssim-of-planes';
import { type SsimOfTensorsOptions, ssimOptions } from './ssim-of-tensors';
import { requireWindowFits, ssimWindows } from './ssim-window';

/** Options of {@link ssim}. */
export interface SsimOptions extends SsimOfTensorsOptions {
  /** Whether to return the similarity at every window too. @default false */
  readonly map?: boolean | undefined;
}

/** Result of {@link ssim} with the option `map`. */
export interface SsimWithMap {
  readonly value: number;
  /**
   * [height - 10, width - 10] (with the uniform window - 6): the similarity at every window, mean over channels. It
   * belongs to the caller.
   */
  readonly map: tf.Tensor2D;
}

const options = optionTable<SsimOptions>()('ssim', { ...ssimOptions, map: flag({ default: false }) });

/**
 * Structural similarity of two images (Wang et al. 2004, eq. 13 and 17): the mean over all windows of
 * (2 mu_a mu_b + C1) (2 sigma_ab + C2) / ((mu_a^2 + mu_b^2 + C1) (sigma_a^2 + sigma_b^2 + C2)),
 * C1 = (0.01 L)^2, C2 = (0.03 L)^2, computed in double precision. Windows that reach over the border do not count, as
 * in scikit-image. Grey is rounded to 8 bits; {@link ssimOfTensors}, which is differentiable, does not round it.
 *
 * Equal images have 1, also where they are constant; two constant images of greys p and q have (2pq + C1) / (p^2 + q^2
 * + C1).
 *
 * @param a an image of at least 11x11 pixels (7x7 with the uniform window)
 * @param b an image of the same size
 * @returns a number in [-1, 1]; or with `map`, the number and the map
 * @throws ImageError if the sizes differ, an image is smaller than the window, or a pixel is not finite;
 *   InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const similarity = await ssim(stylised, content);
 * const { value, map } = await ssim(stylised, content, { channels: 'rgb', map: true });
 * ```
 */
export function ssim(
  a: ImageInput,
  b: ImageInput,
  options?: SsimOptions & { readonly map?: false | undefined },
): Promise<number>;
export function ssim(
  a: ImageInput,
  b: ImageInput,
  options: SsimOptions & { readonly map: true },
): Promise<SsimWithMap>;
export async function ssim(
  a: ImageInput,
  b: ImageInput,
  given: SsimOptions = {},
): Promise<number | SsimWithMap> {
  const { channels, dataRange, window: windowName, map: wanted } = options.read(given);
  const window = ssimWindows[windowName];
  return withImagePair('ssim', { a, b }, async (first, second) => {
    requireWindowFits('ssim', first.shape, window);
    const { planes, unit } = await readPlanes(first, channels);
    const others = (await readPlanes(second, channels)).planes;
    const [rows, columns] = [first.shape[0], first.shape[1]].map((side) => side - window.weights.length + 1);
    const lost = wanted ? new Float64Array(rows * columns) : undefined;
    const value = mean(
      planes.map((plane, p) => ssimOfPlanes(plane, others[p], window, dataRange * unit, lost).similarity),
    );
    if (!lost) return value;
    const similarities = Float32Array.from(lost, (sum) => 1 - sum / planes.length);
    return { value, map: tf.tensor2d(similarities, [rows, columns]) };
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
