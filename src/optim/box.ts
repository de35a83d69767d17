import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import type { Bounds } from './vector-space';

/** A point of `minimize`: double-precision numbers, or a float32 tensor of any shape. */
export type Vector = Float64Array | tf.Tensor;

/** Whether something is a {@link Vector} that is not empty and not disposed. */
export function isVector(value: unknown): value is Vector {
  if (value instanceof Float64Array) return value.length > 0;
  return value instanceof tf.Tensor && value.dtype === 'float32' && value.size > 0 && !value.isDisposed;
}

/**
 * Checks the bounds of `minimize`. Vectors are read back once, to check every component.
 *
 * @returns the box, without bounds that do not bind
 * @throws InvalidArgumentError if a bound is of another kind or shape than the start or holds NaN, if a lower one is
 * above the upper one, or if a lower one is Infinity or an upper one -Infinity; it names the component
 */
export async function readBounds<X extends Vector>(
  bounds: readonly [lower: number | X, upper: number | X] | undefined,
  start: X,
): Promise<Bounds<X>> {
  if (bounds === undefined) return { lower: undefined, upper: undefined };
  if (!Array.isArray(bounds) || bounds.length !== 2) throw wrongBound('bounds', bounds, '[lower, upper]');
  const [lower, upper]: readonly (number | X)[] = bounds;
  for (const [i, bound] of [lower, upper].entries())
    if (typeof bound !== 'number' && !(isVector(bound) && sameShape(bound, start)))
      throw wrongBound(`bounds[${i}]`, bound, "a number, or a vector of the start's kind and shape");

  const [lowerNumbers, upperNumbers] = await readBack(lower, upper);
  const length = typeof lower === 'number' && typeof upper === 'number' ? 1 : sizeOf(start);
  for (let k = 0; k < length; k++) {
    const [least, most] = [lowerNumbers(k), upperNumbers(k)];
    const component = (bound: number | X) => (typeof bound === 'number' ? '' : placeOf(k, start));
    for (const [i, number, wrong] of [
      [0, least, Infinity],
      [1, most, -Infinity],
    ] as const)
      if (Number.isNaN(number) || number === wrong)
        throw wrongBound(
          `bounds[${i}]${component(bounds[i])}`,
          number,
          `a number other than NaN and ${wrong}`,
        );
    if (least > most) {
      const accepted = 'a lower bound that is not above the upper one';
      throw typeof lower === 'number' && typeof upper === 'number'
        ? wrongBound('bounds', bounds, accepted)
        : wrongBound(`bounds[0]${placeOf(k, start)}`, least, `${accepted}, which is ${most} there`);
    }
  }
  const binding = (bound: number | X): number | X | undefined =>
    typeof bound === 'number' && !Number.isFinite(bound) ? undefined : bound;
  return { lower: binding(lower), upper: binding(upper) };
}

/** Each bound as a function of the component's index. */
async function readBack(...bounds: readonly (number | Vector)[]): Promise<((index: number) => number)[]> {
  const tensors = bounds.filter((bound) => bound instanceof tf.Tensor);
  // One read for all bounds, so that the device is waited for once.
  const numbers = tensors.length > 0 ? await dataOf(tensors) : new Float32Array();
  let offset = 0;
  return bounds.map((bound) => {
    if (typeof bound === 'number') return () => bound;
    if (bound instanceof Float64Array) return (i) => bound[i];
    const from = offset;
    offset += bound.size;
    return (i) => numbers[from + i];
  });
}

async function dataOf(tensors: readonly tf.Tensor[]): Promise<Float32Array> {
  const joined = tf.tidy(() => tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [tensor.size]))));
  try {
    return await joined.data<'float32'>();
  } finally {
    joined.dispose();
  }
}

const sizeOf = (vector: Vector): number => (vector instanceof Float64Array ? vector.length : vector.size);

/** Indices of a component, for a message: `[2][0][1]`. */
function placeOf(index: number, vector: Vector): string {
  if (vector instanceof Float64Array) return `[${index}]`;
  let rest = index;
  const indices = [...vector.shape].reverse().map((extent) => {
    const i = rest % extent;
    rest = (rest - i) / extent;
    return `[${i}]`;
  });
  return indices.reverse().join('');
}

function sameShape(a: Vector, b: Vector): boolean {
  if (a instanceof Float64Array || b instanceof Float64Array)
    return a instanceof Float64Array && b instanceof Float64Array && a.length === b.length;
  return tf.util.arraysEqual(a.shape, b.shape);
}

function wrongBound(option: string, value: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'INVALID_ARGUMENT',
    `${option} is ${showValue(value)}; accepted: ${accepted}.`,
    { option, value, accepted },
  );
}
