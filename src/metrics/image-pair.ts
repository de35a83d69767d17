import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import type { Image } from '../image/image';
import { type ImageInput, imageFrom } from '../image/to-image';
import { owning } from '../owning';

/**
 * Decodes two inputs to images with finite pixels in [0,1], checks that their sizes are equal, computes, and frees the
 * images.
 *
 * @param inputs the two inputs, keyed by the names of the caller's arguments, which messages use
 */
export function withImagePair<Result>(
  caller: string,
  inputs: Readonly<Record<string, ImageInput>>,
  compute: (first: Image, second: Image) => Promise<Result>,
): Promise<Result> {
  return owning(async ({ temporary }) => {
    const images: Image[] = [];
    for (const [option, input] of Object.entries(inputs))
      images.push(temporary(await imageFrom(option, input)));
    const [first, second] = images;
    requireOneSize(caller, Object.keys(inputs), first, second);
    return compute(first, second);
  });
}

function requireOneSize(caller: string, [nameA, nameB]: string[], a: Image, b: Image): void {
  if (tf.util.arraysEqual(a.shape, b.shape)) return;
  const size = ({ shape: [height, width] }: Image) => `${width}x${height}`;
  const message = `${caller}: ${nameA} is ${size(a)} and ${nameB} is ${size(b)}; accepted: two images of one size.`;
  throw new ImageError('DIFFERENT_SIZES', message, { option: nameB, value: size(b), accepted: size(a) });
}
