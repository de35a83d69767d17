import type * as tf from '@tensorflow/tfjs-core';
import { requireShape } from '../shared/require-shape';

/**
 * The numbers of a tensor that enters the engine. Kernels trust lengths, so this is the one way in.
 *
 * @param what for the message: `'The cotangent of conv1_2'`
 * @param shape the only one that is accepted
 * @param option for the error: the layer or argument that the tensor belongs to
 * @throws InvalidArgumentError `WRONG_SHAPE` for anything but a float32 tensor of this shape
 */
export function tensorValues(
  tensor: tf.Tensor,
  what: string,
  shape: readonly number[],
  option: string,
): Float32Array {
  requireShape(tensor, what, shape, option);
  return tensor.dataSync<'float32'>();
}
