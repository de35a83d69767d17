import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import type { Image } from './image';

/** What sizes a generator takes. */
export interface GeneratorSizes {
  /** Height and width are multiples of this. */
  readonly multiple: number;
  /** The least height and width. */
  readonly smallest: number;
}

/**
 * An image made larger at its right and lower edge by its mirror image, to sizes that a generator takes.
 *
 * @returns an image that belongs to the caller
 */
export function padImage(image: Image, { multiple }: GeneratorSizes): Image {
  const [height, width] = image.shape;
  const padded = (size: number) => multiple * Math.ceil(size / multiple);
  const mirrored = (size: number) => {
    const indices = Int32Array.from({ length: padded(size) }, (_, i) => mirror(i, size));
    return tf.tensor1d(indices, 'int32');
  };
  return tf.tidy(() => {
    const rows = padded(height) === height ? tf.clone(image) : tf.gather(image, mirrored(height), 0);
    return padded(width) === width ? rows : tf.gather(rows, mirrored(width), 1);
  });
}

/** The upper left part of an image, in the size of another. @returns an image that belongs to the caller */
export const cropTo = (image: Image, [height, width]: Image['shape']): Image =>
  tf.slice(image, [0, 0, 0], [height, width, 3]);

/** Throws unless an image is as large as a generator requires. */
export function requireLargeEnough(
  option: string,
  { width, height }: { readonly width: number; readonly height: number },
  { smallest }: Pick<GeneratorSizes, 'smallest'>,
): void {
  if (width >= smallest && height >= smallest) return;
  const accepted = `at least ${smallest}x${smallest} pixels for this generator`;
  throw new ImageError('TOO_SMALL', `${option} has ${width}x${height} pixels; accepted: ${accepted}.`, {
    option,
    value: [height, width],
    accepted,
  });
}

/** Index i beyond the end of a row of `size`, mirrored about the outermost pixels as often as necessary. */
function mirror(i: number, size: number): number {
  const period = Math.max(1, 2 * (size - 1));
  const at = i % period;
  return at < size ? at : period - at;
}
