import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import type { Image } from '../../src/image/image';
import { type PixelArray, rgbPixels } from '../../src/image/pixel-array';

/** Path of a file in test/reference. */
export const referenceFile = (name: string): string => resolve(import.meta.dirname, '../reference', name);

/** A picture of test/reference as 8-bit RGB, or its top left corner of `crop` x `crop` pixels. */
export async function referenceImage(name: string, crop?: number): Promise<Required<PixelArray>> {
  const file = sharp(referenceFile(name)).removeAlpha();
  const part = crop ? file.extract({ left: 0, top: 0, width: crop, height: crop }) : file;
  const { data, info } = await part.raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: 3 };
}

/** The same as a tensor. */
export async function referenceTensor(name: string): Promise<Image> {
  const { data, width, height } = rgbPixels(name, await referenceImage(name));
  return tf.tensor3d(data, [height, width, 3]);
}
