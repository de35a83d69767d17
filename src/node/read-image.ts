import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../image/image';
import { rgbPixels } from '../image/pixel-array';
import { fitLongerSide } from '../image/resize';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import { type ChooseSize, readPixels } from './read-pixels';
import type { ImageSource } from './source-bytes';

/** Options of {@link readImage}. */
export interface ReadImageOptions {
  /** Pixels; what they measure is said by `fit`. Smaller images are enlarged, by Lanczos as in the other direction. @default the file's own size */
  readonly size?: number | undefined;
  /**
   * What `size` is: the longer side (`'inside'`), the shorter side (`'outside'`), both sides of a square that is cut out of the
   * middle (`'cover'`) or that the image is stretched to (`'fill'`).
   * @default 'inside'
   */
  readonly fit?: 'inside' | 'outside' | 'cover' | 'fill' | undefined;
}

/**
 * An image file as a tensor: any format that sharp reads, turned as its EXIF orientation says, converted to sRGB (greyscale, CMYK and
 * embedded profiles included), 16 bits kept, transparency laid on white. Of several pages or frames the first.
 *
 * @param source path, `file:`, `http(s):` or `data:` URL, or the bytes of an encoded image
 * @returns [height, width, 3], RGB, float32, in [0,1]; it belongs to the caller
 * @throws ImageError if there is no such file, or it is empty, no image, damaged, cut short or larger than 2^27 pixels;
 *   EnvironmentError if sharp is not installed
 * @example
 * ```ts
 * const content = await readImage('photo.jpg', { size: 512 });
 * ```
 */
export async function readImage(source: ImageSource, options: ReadImageOptions = {}): Promise<Image> {
  requireKnownOptions('readImage', options, ['size', 'fit']);
  const { size, fit = 'inside' } = options;
  requireName('fit', fit, Object.keys(fits) as (keyof typeof fits)[]);
  if (size !== undefined) requireNumber('size', size, { min: 1, integer: true });
  const chooseSize = size === undefined ? undefined : fits[fit](size);
  const { data, width, height } = rgbPixels('image', await readPixels('image', source, chooseSize));
  return tf.tensor3d(data, [height, width, 3]);
}

const fits: Readonly<Record<NonNullable<ReadImageOptions['fit']>, (size: number) => ChooseSize>> = {
  inside:
    (size) =>
    ({ width, height }) =>
      fitLongerSide(width, height, size),
  outside:
    (size) =>
    ({ width, height }) =>
      fitLongerSide(width, height, (size * Math.max(width, height)) / Math.min(width, height)),
  cover: (size) => () => ({ width: size, height: size, crop: true }),
  fill: (size) => () => ({ width: size, height: size }),
};
