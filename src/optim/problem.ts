import * as tf from '@tensorflow/tfjs-core';
import { arraySpace } from './array-space';
import type { History } from './history';
import { tensorSpace } from './tensor-space';
import type { VectorSpace } from './vector-space';

/**
 * A function to minimise and the vector space it is evaluated in. `V` is a vector of that space, `S` a scalar as the
 * function returns it, perhaps still on a device, and `X` the caller's kind of vector: tensors or arrays.
 *
 * A problem is made for one run, which closes its space at the end.
 */
export interface Problem<V, S, X = tf.Tensor> {
  readonly space: VectorSpace<V, S, X>;
  /**
   * Value and gradient at a vector of the space. The run owns the gradient and frees it.
   * @param signal ends an evaluation that takes long with its reason
   */
  evaluate(x: V, signal?: AbortSignal): ObjectiveValue<V, S> | Promise<ObjectiveValue<V, S>>;
  /**
   * A new vector of the space with the numbers of `given`, which remains the caller's.
   * @throws InvalidArgumentError if the shape differs
   */
  toVector(given: X): V | Promise<V>;
  /** The numbers of a vector as the caller's kind of vector. It belongs to the caller and outlives the space. */
  fromVector(vector: V): X;
  /**
   * Throws an `EnvironmentError` unless this number of vectors fits into memory beside a history. Without it nothing is
   * checked.
   */
  requireRoom?(vectors: number, history?: History): void;
}

/** A function with its gradient, synchronous or not. Its result belongs to the run. */
export type ObjectiveFunction<V, S> = (x: V) => ObjectiveValue<V, S> | Promise<ObjectiveValue<V, S>>;

/** An objective's result in a space of vectors `V` and scalars `S`. */
export interface ObjectiveValue<V, S> {
  readonly value: S;
  readonly gradient: V;
  /** The summands of `value` by name, for reports. */
  readonly terms?: Readonly<Record<string, S>> | undefined;
}

/** A function of `Float64Array`s of one length. */
export function arrayProblem(
  evaluate: ObjectiveFunction<Float64Array, number>,
  size: number,
): Problem<Float64Array, number, Float64Array> {
  const space = arraySpace(size);
  return { space, evaluate, toVector: space.adopt, fromVector: space.copy };
}

/** A function of float32 tensors of one shape, on whatever backend is active. */
export function tensorProblem<T extends tf.Tensor>(
  evaluate: ObjectiveFunction<T, tf.Scalar>,
  shape: readonly number[],
): Problem<T, tf.Scalar, T> {
  const space = tensorSpace<T>(shape);
  return { space, evaluate, toVector: space.copy, fromVector: (vector) => tf.clone(vector) };
}
