import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../allocation';
import { EnvironmentError, ImageError } from '../errors';
import { showValue } from '../options/show';
import { abortSignal, number, optionTable } from '../options/table';
import { crossOrigin, type Drawable, isBlob, isDrawable, isLoading, loaded, requireDrawn } from './drawable';
import type { Image } from './image';
import type { ImageReader, ImageUse, OpenImage } from './image-reader';
import {
  isPixelArray,
  maskPixels,
  type PixelArray,
  type RgbPixels,
  requirePixelCount,
  requireUnitRange,
  rgbPixels,
} from './pixel-array';
import { requireImage } from './require-image';
import { resizeBy } from './resize';
import { type SizeRule, sizeAfter } from './size-rule';

/**
 * An image input. `tfjs-style-transfer/node` also accepts paths, URLs and the bytes of files.
 */
export type ImageInput =
  | tf.Tensor3D
  | PixelArray
  | ImageData
  | ImageBitmap
  | Blob
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | VideoFrame;

/** Options of {@link toImage}. */
export interface ToImageOptions {
  /**
   * The longer side in pixels; the other follows from the aspect ratio. Smaller images are enlarged.
   * @default the input's own size
   */
  readonly size?: number | undefined;
  /** Ends the resampling; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Converts any image input to a tensor.
 *
 * @param input a float32 tensor [height, width, 3] in [0,1], pixels with width and height, or anything that a page can
 *   draw; an image element that is still loading is waited for
 * @returns [height, width, 3], RGB, float32, in [0,1]; it belongs to the caller, also if the input is a tensor
 * @throws ImageError if the input is not an image, is empty or has more than 2^27 pixels, or holds values that are not
 *   finite or not in [0,1]
 * @example
 * ```ts
 * const image = await toImage({ data: new Uint8Array([255, 0, 0]), width: 1, height: 1, channels: 3 });
 * ```
 */
export async function toImage(input: ImageInput, options: ToImageOptions = {}): Promise<Image> {
  const { size, signal } = toImageOptions.read(options);
  return imageFrom('image', input, size === undefined ? undefined : { longerSide: size }, signal);
}

const toImageOptions = optionTable<ToImageOptions>()('toImage', {
  size: number({ min: 1, integer: true }),
  signal: abortSignal(),
});

/** {@link toImage} with the name of the argument, for messages. */
export async function imageFrom(
  option: string,
  input: ImageInput,
  size?: SizeRule,
  signal?: AbortSignal,
): Promise<Image> {
  return (await openImage(option, input, signal)).decode(size);
}

/** The image reader for inputs that every platform accepts. */
export const imageReader: ImageReader<ImageInput> = { open: openImage, decode: imageFrom };

async function openImage(
  option: string,
  input: ImageInput,
  signal?: AbortSignal,
  use?: ImageUse,
): Promise<OpenImage> {
  signal?.throwIfAborted();
  const pixels = await (use === 'mask' ? maskOf(option, input, signal) : pixelsOf(option, input, { signal }));
  const { width, height } = pixels;
  return {
    width,
    height,
    async bytes() {
      if (isBlob(input)) return { of: 'file', bytes: new Uint8Array(await input.arrayBuffer()) };
      const { buffer, byteOffset, byteLength } = pixels.data;
      return { of: 'pixels', bytes: new Uint8Array(buffer, byteOffset, byteLength) };
    },
    async decode(size) {
      signal?.throwIfAborted();
      const to = sizeAfter(size, width, height);
      requirePixelCount(option, to.width, to.height);
      return imageOf(await resizeBy(pixels, size, signal));
    },
  };
}

/** The tensor of an image's pixels. */
export function imageOf({ data, width, height }: RgbPixels): Image {
  checkAllocations();
  return tf.tensor3d(data, [height, width, 3]);
}

/**
 * Converts a tensor to pixels for a canvas: values are clamped to [0,1] and rounded to 8 bits, alpha is 255.
 *
 * @param image [height, width, 3]; not disposed
 * @returns an `ImageData`; without that class (in Node), an object with the same fields
 */
export async function toImageData(image: Image): Promise<ImageData> {
  requireImage('image', image);
  const [height, width] = image.shape;
  const values = await image.data();
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[i * 4 + c] = Math.round(values[i * 3 + c] * 255);
    data[i * 4 + 3] = 255;
  }
  if (typeof ImageData !== 'undefined') return new ImageData(data, width, height);
  return { data, width, height, colorSpace: 'srgb' } as ImageData;
}

/** The weights of a mask, which as a tensor may be [height, width] or [height, width, 1] too. */
async function maskOf(
  option: string,
  input: ImageInput,
  signal: AbortSignal | undefined,
): Promise<RgbPixels> {
  if (!(input instanceof tf.Tensor)) return pixelsOf(option, input, { signal, convert: maskPixels });
  const { shape, dtype } = input as tf.Tensor;
  const [height, width = 0, channels = 1] = shape;
  if (shape.length < 2 || shape.length > 3 || (channels !== 1 && channels !== 3) || dtype !== 'float32')
    throw notAnImage(option, input, { more: 'a float32 tensor [height, width] or [height, width, 1], ' });
  const data = await (input as tf.Tensor).data<'float32'>();
  return maskPixels(option, { data, width, height, channels });
}

async function pixelsOf(
  option: string,
  input: ImageInput,
  {
    signal,
    convert = rgbPixels,
  }: { readonly signal: AbortSignal | undefined; readonly convert?: typeof rgbPixels },
): Promise<RgbPixels> {
  if (input instanceof tf.Tensor) {
    requireImage(option, input);
    const [height, width] = input.shape;
    requirePixelCount(option, width, height);
    const data = (await input.data()) as Float32Array;
    requireUnitRange(option, data);
    return { data, width, height };
  }
  if (isBlob(input)) return decode(option, input, convert);
  if (isPixelArray(input)) return convert(option, input);
  if (isDrawable(input)) {
    if (isLoading(input)) await loaded(input, signal);
    return draw(option, input, convert);
  }
  throw notAnImage(option, input);
}

/** Whether an input is of one of the kinds that every platform takes. */
export function isImageInput(input: unknown): boolean {
  return input instanceof tf.Tensor || isBlob(input) || isPixelArray(input) || isDrawable(input);
}

/** @param more what a platform takes besides, for the message */
export function notAnImage(
  option: string,
  input: unknown,
  { more = '', cause }: { readonly more?: string; readonly cause?: unknown } = {},
): ImageError {
  const accepted = `${more}a tensor [height, width, 3], { data, width, height, channels }, ImageData, ImageBitmap, Blob, or an image, canvas or video element`;
  return new ImageError('NOT_AN_IMAGE', `${option} is ${showValue(input)}; accepted: ${accepted}.`, {
    option,
    value: input,
    accepted,
    cause,
  });
}

async function decode(option: string, blob: Blob, convert: typeof rgbPixels): Promise<RgbPixels> {
  if (typeof createImageBitmap === 'undefined') {
    throw new EnvironmentError(
      'NO_DECODER',
      `${option} is a Blob, which this platform cannot decode; in Node use readImage() of tfjs-style-transfer/node.`,
      { option },
    );
  }
  let bitmap: ImageBitmap;
  try {
    // Rotated by its EXIF orientation, as a page shows it.
    bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image' });
  } catch (cause) {
    throw notAnImage(option, blob, { cause });
  }
  try {
    return draw(option, bitmap, convert);
  } finally {
    bitmap.close();
  }
}

function draw(option: string, source: Drawable, convert: typeof rgbPixels): RgbPixels {
  const [width, height] = requireDrawn(option, source);
  requirePixelCount(option, width, height);
  const canvas =
    typeof OffscreenCanvas === 'undefined'
      ? Object.assign(document.createElement('canvas'), { width, height })
      : new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d') as
    | CanvasRenderingContext2D
    | OffscreenCanvasRenderingContext2D
    | null;
  if (!context)
    throw new EnvironmentError(
      'NO_CANVAS',
      'This page provides no 2d canvas, which is needed to read pixels.',
      { option },
    );
  context.drawImage(source, 0, 0);
  try {
    return convert(option, context.getImageData(0, 0, width, height));
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    // The canvas is tainted.
    throw crossOrigin(option, cause);
  }
}
