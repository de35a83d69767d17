import { ImageError } from '../errors';
import { showValue } from '../options/show';
import { requireNumber } from '../options/validate';
import { classNameOf } from './class-name';

/**
 * Pixels as they come from decoders: row-major, `channels` values a pixel (1 grey, 2 grey and alpha, 3 RGB, 4 RGBA).
 */
export interface PixelArray {
  /** 0..255 in `Uint8Array` and `Uint8ClampedArray`, 0..65535 in `Uint16Array`, [0,1] in `Float32Array`. */
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;
  readonly width: number;
  readonly height: number;
  /** @default 4, as in an `ImageData` */
  readonly channels?: 1 | 2 | 3 | 4 | undefined;
}

/** The most pixels that an input image may have: larger ones are refused before any memory is allocated. */
export const maxInputPixels = 2 ** 27;

/** Colours of an image as numbers: RGB in [0,1], row-major. */
export interface RgbPixels {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Whether a value looks like a {@link PixelArray} or an `ImageData`. */
export function isPixelArray(input: unknown): input is PixelArray {
  return (
    typeof input === 'object' && input !== null && 'data' in input && 'width' in input && 'height' in input
  );
}

/**
 * Converts a decoder's pixels to RGB in [0,1]. Grey becomes three equal colours; transparent pixels are composited on
 * white, as a page shows them.
 *
 * @throws ImageError if the numbers do not fit each other, or are not finite or not in [0,1]
 */
export function rgbPixels(option: string, pixels: PixelArray): RgbPixels {
  const { data, width, height, channels = 4 } = pixels;
  requireNumber(`${option}.width`, width, { min: 1, integer: true });
  requireNumber(`${option}.height`, height, { min: 1, integer: true });
  requireNumber(`${option}.channels`, channels, { min: 1, max: 4, integer: true });
  requirePixelCount(option, width, height);
  const range = rangeOf(data);
  if (range === undefined || data.length !== width * height * channels) {
    const accepted = `a Uint8Array, Uint8ClampedArray, Uint16Array or Float32Array of ${width} x ${height} x ${channels} = ${width * height * channels} values`;
    const value = `${showValue(data)}${range === undefined ? '' : ` of ${data.length}`}`;
    throw new ImageError('WRONG_SIZE', `${option}.data is ${value}; accepted: ${accepted}.`, {
      option,
      value,
      accepted,
    });
  }
  const rgb = new Float32Array(width * height * 3);
  const colours = channels > 2 ? 3 : 1;
  const hasAlpha = channels === 2 || channels === 4;
  for (let i = 0; i < width * height; i++) {
    const alpha = hasAlpha ? data[i * channels + channels - 1] / range : 1;
    for (let c = 0; c < 3; c++)
      rgb[i * 3 + c] = 1 + alpha * (data[i * channels + (colours === 3 ? c : 0)] / range - 1);
  }
  if (range === 1) requireUnitRange(option, rgb);
  return { data: rgb, width, height };
}

/**
 * The weights of a mask's pixels, in three equal channels: alpha where any pixel is transparent, else luminance.
 *
 * @throws ImageError as {@link rgbPixels}
 */
export function maskPixels(option: string, pixels: PixelArray): RgbPixels {
  const { data: rgb, width, height } = rgbPixels(option, pixels);
  const { data, channels = 4 } = pixels;
  const range = rangeOf(data) ?? 1;
  const alphaOf = (i: number) => (channels % 2 === 0 ? data[i * channels + channels - 1] / range : 1);
  let transparent = false;
  for (let i = 0; i < width * height && !transparent; i++) transparent = alphaOf(i) < 1;
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = rgb.subarray(3 * i, 3 * i + 3);
    // Of grey the value itself, without the rounding of a sum: white is 1.
    const luminance = r === g && g === b ? r : 0.299 * r + 0.587 * g + 0.114 * b;
    rgb.fill(transparent ? alphaOf(i) : luminance, 3 * i, 3 * i + 3);
  }
  return { data: rgb, width, height };
}

/** Throws if an image has more pixels than {@link maxInputPixels}. */
export function requirePixelCount(option: string, width: number, height: number): void {
  if (width * height <= maxInputPixels) return;
  const accepted = `at most ${maxInputPixels} pixels`;
  throw new ImageError(
    'TOO_LARGE',
    `${option} has ${width}x${height} = ${width * height} pixels; accepted: ${accepted}.`,
    {
      option,
      value: [height, width],
      accepted,
    },
  );
}

/** Throws unless every value is finite and, up to float32 rounding, in [0,1]. */
export function requireUnitRange(option: string, values: Float32Array): void {
  const accepted = 'finite values in [0,1]';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value >= -1e-6 && value <= 1 + 1e-6) continue;
    const hint = value > 1 && value <= 255 ? ' Divide values from 0 to 255 by 255 first.' : '';
    throw new ImageError(
      Number.isFinite(value) ? 'OUT_OF_RANGE' : 'NOT_FINITE',
      `${option} holds ${value} at position ${i}; accepted: ${accepted}.${hint}`,
      { option, value, accepted },
    );
  }
}

/** The largest value of a kind of array, which represents 1. */
function rangeOf(data: unknown): number | undefined {
  return ranges[classNameOf(data)];
}

const ranges: Readonly<Record<string, number>> = {
  Uint8Array: 255,
  Uint8ClampedArray: 255,
  Uint16Array: 65535,
  Float32Array: 1,
};
