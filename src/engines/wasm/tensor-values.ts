import type * as tf from '@tensorflow/tfjs-core';
import { requireShape } from '../shared/require-shape';

/**
 * The numbers of a tensor that enters the engine. Kernels do not check lengths, so every tensor enters through this
 * function.
 *
 * @param what name of the tensor in the message: `'The cotangent of conv1_2'`
 * @param shape the required shape
 * @param option layer or argument that the tensor belongs to, for the error
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
