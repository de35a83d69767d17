import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';

/** For a vector that an objective or a preconditioner returned and that is none of the run's space. */
export function wrongShape(value: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'WRONG_SHAPE',
    `The objective or preconditioner returned ${showValue(value)}; accepted: ${accepted}.`,
    {
      option: 'objective',
      value,
      accepted,
    },
  );
}

/** Throws unless what an objective or a preconditioner returned is a float32 tensor of a shape. */
export function requireTensorOfShape<T extends tf.Tensor>(vector: T, shape: readonly number[]): T {
  const isTensor = vector instanceof tf.Tensor;
  if (isTensor && vector.dtype === 'float32' && tf.util.arraysEqual(vector.shape, [...shape])) return vector;
  throw wrongShape(isTensor ? vector.shape : vector, `a float32 tensor of shape [${shape}]`);
}
