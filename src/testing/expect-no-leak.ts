import * as tf from '@tensorflow/tfjs-core';
import { ComputationError } from '../errors';

/**
 * Runs a function and throws if tensors are left behind: after it, there may be as many more as it returned, and no more.
 *
 * @param run may be async; tensors in what it returns (a tensor, an array or a record of them) are not leaks
 * @returns what `run` returned
 * @throws ComputationError naming the number of tensors leaked (negative: disposed tensors that were not its own)
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
      ? `${leaked} tensor(s) leaked beside the ${returned} returned.`
      : `${-leaked} tensor(s) were disposed that did not belong to the function.`;
  throw new ComputationError('LEAK', message, { value: leaked, accepted: '0' });
}

function countTensors(value: unknown, seen = new Set<unknown>()): number {
  if (typeof value !== 'object' || value === null || seen.has(value)) return 0;
  seen.add(value);
  if (value instanceof tf.Tensor) return value.isDisposed ? 0 : 1;
  if (ArrayBuffer.isView(value)) return 0;
  return Object.values(value).reduce((count: number, part) => count + countTensors(part, seen), 0);
}
