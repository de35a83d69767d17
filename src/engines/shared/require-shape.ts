import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../../errors';
import { showText, showValue } from '../../options/show';

/**
 * Throws unless a value is a float32 tensor of a shape; called for every tensor that enters an engine.
 *
 * @param what name of the tensor in the message: `'The cotangent of conv1_2'`
 * @param option layer or argument that the tensor belongs to, for the error
 * @throws InvalidArgumentError `WRONG_SHAPE`
 */
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
