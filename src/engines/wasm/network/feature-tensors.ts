import * as tf from '@tensorflow/tfjs-core';
import type { KernelRunner } from '../runtime/kernel-runner';
import type { Map2d } from './pass';

/** Values of an item of elementwise work. */
export const elementShare = 65536;

/** A feature map as a tensor, through its ReLU if the layer is behind it. */
export function tensorOf(
  engine: KernelRunner,
  { address, height, width, channels, relu }: Map2d,
): tf.Tensor4D {
  const values = engine.memory.floats(address, height * width * channels).slice();
  if (relu) for (let i = 0; i < values.length; i++) values[i] = Math.max(0, values[i]);
  return tf.tensor4d(values, [1, height, width, channels]);
}

/** gradient += factor * cotangent, through the ReLU if the layer is behind one. */
export function addCotangent(
  engine: KernelRunner,
  cotangent: tf.Tensor4D,
  map: Map2d,
  gradient: number,
  factor: number,
): void {
  const values = cotangent.dataSync<'float32'>();
  const other = engine.memory.put(values);
  const items = Math.ceil(values.length / elementShare);
  engine.run(
    'add',
    [map.address, other, gradient, values.length, Number(map.relu), elementShare, { float: factor }],
    items,
  );
  engine.memory.release(other);
}
