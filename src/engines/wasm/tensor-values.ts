import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../../errors';
import { showText, showValue } from '../../options/show';

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

/** The check of {@link tensorValues} alone, for a tensor whose numbers are read later. */
export function requireShape(tensor: unknown, what: string, shape: readonly number[], option: string): void {
  const isTensor = tensor instanceof tf.Tensor;
  if (isTensor && tensor.dtype === 'float32' && tf.util.arraysEqual(tensor.shape, [...shape])) return;
  const accepted = `a float32 tensor [${shape}]`;
  const found = isTensor ? `a ${tensor.dtype} tensor [${tensor.shape}]` : showValue(tensor);
  throw new InvalidArgumentError('WRONG_SHAPE', `${showText(what)} is ${found}; accepted: ${accepted}.`, {
    option,
    value: isTensor ? tensor.shape : tensor,
    accepted,
  });
}
