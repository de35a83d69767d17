import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../../../features/layer-name';
import { requireShape } from '../../shared/require-shape';
import { withBlocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';
import type { FeatureMap } from './pass';

/** Values of an item of elementwise work. */
export const elementShare = 65536;

/** A feature map as a tensor [1, height, width, channels], through its ReLU if the layer is behind it. */
export function tensorOf(
  engine: KernelRunner,
  { address, height, width, channels, relu }: FeatureMap,
): tf.Tensor4D {
  const values = engine.memory.floats(address, height * width * channels).slice();
  if (relu) for (let i = 0; i < values.length; i++) values[i] = Math.max(0, values[i]);
  return tf.tensor4d(values, [1, height, width, channels]);
}

/**
 * Adds factor * cotangent to the gradient of rows of a layer's map, through the ReLU if the layer is behind one.
 *
 * @param values the cotangent, [height][width][channels] of the rows
 */
export function addCotangent(
  engine: KernelRunner,
  values: Float32Array,
  map: FeatureMap,
  gradient: number,
  factor: number,
): void {
  const items = Math.ceil(values.length / elementShare);
  withBlocks(engine.memory, (blocks) => {
    const other = blocks.put(values);
    const args = [map.address, other, gradient, values.length, Number(map.relu), elementShare];
    engine.run('add', [...args, { float: factor }], items);
  });
}

/** Throws `WRONG_SHAPE` unless a cotangent has the shape of its layer. */
export function requireCotangent(
  layer: LayerName,
  cotangent: tf.Tensor | undefined,
  shape: readonly number[],
): void {
  requireShape(cotangent, `The cotangent of ${layer}`, shape, layer);
}
