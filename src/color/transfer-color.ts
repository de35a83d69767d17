import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import { inTurns, type Work } from '../image/in-turns';
import { type ImageInput, imageFrom } from '../image/to-image';
import { abortSignal, oneOf, optionTable } from '../options/table';
import { owning } from '../owning';
import { matchCovariance } from './covariance';
import { matchHistogram } from './histogram';
import { withChromaOf } from './luminance';
import { matchMean } from './mean';

/** A method of {@link transferColor}. */
export type ColorMethod = 'mean' | 'covariance' | 'histogram' | 'luminance';

/** Every {@link ColorMethod}. */
export const colorMethods: readonly ColorMethod[] = ['mean', 'covariance', 'histogram', 'luminance'];

/** Options of {@link transferColor}. */
export interface TransferColorOptions {
  /**
   * - `'mean'`: mean and deviation of each channel, in l-alpha-beta (Reinhard et al. 2001);
   * - `'covariance'`: mean and covariance in RGB, by the linear map that changes least (Pitie & Kokaram 2007);
   * - `'histogram'`: the whole distribution, by sliced optimal transport (Pitie et al. 2005);
   * - `'luminance'`: the image keeps its luminance and takes the chroma of the reference at the same place.
   * @default 'covariance'
   */
  readonly method?: ColorMethod | undefined;
  /** Ends the work; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const transferColorOptions = optionTable<TransferColorOptions>()('transferColor', {
  method: oneOf(colorMethods, { default: 'covariance' }),
  signal: abortSignal(),
});

/** Methods that map colours wherever they are in the image: RGB of image and reference, row-major, to RGB. */
const mappings: Readonly<
  Record<
    Exclude<ColorMethod, 'luminance'>,
    (pixels: Float32Array, reference: Float32Array) => Work<Float32Array>
  >
> = { mean: matchMean, covariance: matchCovariance, histogram: matchHistogram };

/**
 * Gives an image the colours of another. Statistics are in double precision on the host; `'luminance'` runs on the
 * device. Equal images stay as they are. An image without contrast (flat, or grey for its chroma) takes the mean and is
 * not stretched, which would show nothing but its rounding.
 *
 * @param image the image to change, any size
 * @param reference the image with the wanted colours, any size; `'luminance'` resizes it to that of `image`
 * @returns [height, width, 3] of `image`, RGB; values outside of [0,1] are clipped, except with `'luminance'`, which
 *   keeps within by lowering chroma. It belongs to the caller.
 * @throws ImageError if an input is not an image; InvalidArgumentError before any work if an option is wrong; the
 *   signal's reason once it is aborted
 * @example
 * ```ts
 * const recoloured = await transferColor(painting, photo, { method: 'histogram' });
 * ```
 */
export async function transferColor(
  image: ImageInput,
  reference: ImageInput,
  options: TransferColorOptions = {},
): Promise<Image> {
  const { method, signal } = transferColorOptions.read(options);
  return owning(async ({ temporary }) => {
    const own = temporary(await imageFrom('image', image, undefined, signal));
    const [height, width] = own.shape;
    const size = method === 'luminance' ? { width, height } : undefined;
    const other = temporary(await imageFrom('reference', reference, size, signal));
    if (method === 'luminance') return withChromaOf(own, other);
    const pixels = await Promise.all([own.data<'float32'>(), other.data<'float32'>()]);
    const moved = await inTurns(mappings[method](...pixels), signal);
    return tf.tidy(() => tf.clipByValue(tf.tensor3d(moved, [height, width, 3]), 0, 1));
  });
}
