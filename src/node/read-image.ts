import type { Image } from '../image/image';
import type { SizeRule } from '../image/size-rule';
import { abortSignal, number, oneOf, optionTable } from '../options/table';
import { nodeImageReader } from './image-input';
import { type ImageSource, requireSource } from './source-bytes';

/** Options of {@link readImage}. */
export interface ReadImageOptions {
  /**
   * Size in pixels; `fit` says which side it is. Smaller images are enlarged; resampling is Lanczos' in both
   * directions.
   * @default the size of the file
   */
  readonly size?: number | undefined;
  /**
   * The meaning of `size`: the longer side (`'inside'`), the shorter side (`'outside'`), both sides of a square that is
   * cut out of the middle (`'cover'`) or that the image is stretched to (`'fill'`).
   * @default 'inside'
   */
  readonly fit?: 'inside' | 'outside' | 'cover' | 'fill' | undefined;
  /**
   * Ends any wait, including those for a server, a pipe or a long decoding; the promise rejects with the signal's
   * reason.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads an image file as a tensor: any format that sharp reads, rotated by its EXIF orientation, converted to sRGB
 * (greyscale, CMYK and embedded profiles included), with all 16 bits, composited on white if transparent. Only the
 * first page or frame is read.
 *
 * @param source path of a file or pipe, `file:`, `http(s):` or `data:` URL, or the bytes of an encoded image (`Buffer`,
 *   `Blob`, `File`); at most 512 MiB
 * @returns [height, width, 3], RGB, float32, in [0,1]; it belongs to the caller
 * @throws ImageError if the file does not exist, is empty, not an image, damaged, truncated, of numbers other than 8 or
 *   16 bits, larger than 2^27 pixels, or an SVG that takes longer than 15 s or more than 1 GiB to draw;
 *   EnvironmentError if sharp is not installed
 * @example
 * ```ts
 * const content = await readImage('photo.jpg', { size: 512 });
 * ```
 */
export async function readImage(source: ImageSource, options: ReadImageOptions = {}): Promise<Image> {
  const { size, fit, signal } = readImageOptions.read(options);
  requireSource('image', source);
  return nodeImageReader.decode('image', source, size === undefined ? undefined : rules[fit](size), signal);
}

type Fit = NonNullable<ReadImageOptions['fit']>;

const rules: Readonly<Record<Fit, (size: number) => SizeRule>> = {
  inside: (size) => ({ longerSide: size }),
  outside: (size) => ({ shorterSide: size }),
  cover: (size) => ({ width: size, height: size, crop: true }),
  fill: (size) => ({ width: size, height: size }),
};

const readImageOptions = optionTable<ReadImageOptions>()('readImage', {
  size: number({ min: 1, integer: true }),
  fit: oneOf(Object.keys(rules) as Fit[], { default: 'inside' }),
  signal: abortSignal(),
});
