import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../../src/image/image';

/** Seeded noise in [0.1, 0.9]: no ties between neighbours, no bound active. */
export function noise(height: number, width: number, seed = 1): Image {
  return tf.randomUniform([height, width, 3], 0.1, 0.9, 'float32', seed);
}
