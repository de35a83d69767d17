import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../../src/image/image';
import { rgbPixels } from '../../src/image/pixel-array';
import { referenceImage } from './reference-image';

/** A picture of test/reference as a tensor. */
export async function referenceTensor(name: string): Promise<Image> {
  const { data, width, height } = rgbPixels(name, await referenceImage(name));
  return tf.tensor3d(data, [height, width, 3]);
}

/** Seeded noise in [0.1, 0.9]: no ties between neighbours, no bound active. */
export function noise(height: number, width: number, seed = 1): Image {
  return tf.randomUniform([height, width, 3], 0.1, 0.9, 'float32', seed);
}
