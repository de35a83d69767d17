import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../../src/features/extractor.ts';
import type { LayerName } from '../../src/features/layer-name';
import { conventions } from '../../src/features/vgg19/conventions.ts';
import { embeddedConvention } from '../../src/features/vgg19/embedded/embedded-file';
import type { RgbPixels } from '../../src/image/pixel-array.ts';
import type { Random } from '../../src/random.ts';

/** Rows of numbers, one after the other. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Options of {@link samplePatches}. */
export interface PatchOptions {
  /** Patches in all. */
  readonly count: number;
  /** Pictures that they come from. */
  readonly pictures: number;
  /** Side of the crop of each picture that is looked at, in pixels. */
  readonly crop: number;
}

/**
 * Random 3x3 patches of the feature maps that a convolution reads, each a row in the order of the kernel's first three
 * axes (HWI).
 */
export function samplePatches(
  random: Random,
  pictures: readonly RgbPixels[],
  network: FeatureExtractor,
  input: LayerName,
  { count, pictures: used, crop }: PatchOptions,
): Rows {
  const each = Math.ceil(count / used);
  const chosen = random.sample(used, pictures.length);
  const parts = chosen.map((index) => {
    const { side, channels, values } = featureMap(network, input, randomCrop(random, pictures[index], crop));
    const width = 9 * channels;
    const rows = new Float32Array(each * width);
    for (let row = 0; row < each; row++) {
      const [top, left] = [random.integer(side - 2), random.integer(side - 2)];
      for (let dy = 0; dy < 3; dy++) {
        const start = ((top + dy) * side + left) * channels;
        rows.set(values.subarray(start, start + 3 * channels), row * width + dy * 3 * channels);
      }
    }
    return { width, rows };
  });
  const { width } = parts[0];
  const values = new Float32Array(used * each * width);
  for (const [i, { rows }] of parts.entries()) values.set(rows, i * each * width);
  return { count, width, values: values.subarray(0, count * width) };
}

function randomCrop(random: Random, { data, width, height }: RgbPixels, side: number): tf.Tensor3D {
  const [left, top] = [random.integer(width - side + 1), random.integer(height - side + 1)];
  const crop = new Float32Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const start = 3 * ((top + y) * width + left);
    crop.set(data.subarray(start, start + 3 * side), 3 * y * side);
  }
  return tf.tensor3d(crop, [side, side, 3]);
}

function featureMap(network: FeatureExtractor, layer: LayerName, image: tf.Tensor3D) {
  const input = tf.tidy(() => {
    const map = network.extract(image, [layer])[layer] as tf.Tensor4D;
    return layer === 'image' ? normalised(map) : map;
  });
  const [, side, , channels] = input.shape;
  const values = input.dataSync<'float32'>();
  tf.dispose([image, input]);
  return { side, channels, values };
}

/** The picture as the first convolution sees it. */
function normalised(image: tf.Tensor4D): tf.Tensor4D {
  const { scale, offset } = conventions[embeddedConvention].input;
  return tf.add(tf.mul(image, [...scale]), [...offset]);
}
