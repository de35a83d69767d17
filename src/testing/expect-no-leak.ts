import * as tf from '@tensorflow/tfjs-core';
import { ComputationError } from '../errors';

/**
 * Runs a function and throws unless the number of tensors has grown by exactly the number of tensors returned.
 *
 * @param run may be async; tensors in its result (a tensor, an array or a record of them) are not leaks
 * @returns the result of `run`
 * @throws ComputationError naming the number of tensors leaked (negative: the function disposed tensors that did not
 *   belong to it)
 * @example
 * ```ts
 * const value = await expectNoLeak(() => loss.compute(features));
 * value.dispose();
 * ```
 */
export async function expectNoLeak<T>(run: () => T | Promise<T>): Promise<T> {
  const before = tf.memory().numTensors;
  const result = await run();
  const returned = countTensors(result);
  const leaked = tf.memory().numTensors - before - returned;
  if (leaked === 0) return result;
  const message =
    leaked > 0
      ? `${tensors(leaked)} leaked${returned > 0 ? `; ${tensors(returned)} returned` : ''}.`
      : `${tensors(-leaked)} disposed that did not belong to the function.`;
  throw new ComputationError('LEAK', message, { value: leaked, accepted: '0' });
}

const tensors = (count: number) => (count === 1 ? '1 tensor was' : `${count} tensors were`);

function countTensors(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const isRecord = Array.isArray(value) || [null, Object.prototype].includes(Object.getPrototypeOf(value));
  if (isRecord) return Object.values(value).reduce((count: number, part) => count + countTensors(part), 0);
  return value instanceof tf.Tensor && !value.isDisposed ? 1 : 0;
}
