import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';

/**
 * Storage and arithmetic of an optimiser's vectors. The algorithms of this folder do scalar arithmetic in double
 * precision and access vectors only through this interface, so that one algorithm runs on `Float64Array`s, on tensors
 * of any backend, and on vectors in an engine's own memory. `V` is a vector, `S` a scalar as an objective returns it,
 * and `X` the caller's kind of vector that `V` represents.
 *
 * A space is made for one run and knows every vector and scalar that is alive in it: {@link close} frees whatever is
 * left, and every other operation then throws `DISPOSED`. Operations return new vectors; they never write into their
 * arguments.
 */
export interface VectorSpace<V, S, X = V> {
  /** Number of components of every vector of the space. */
  readonly size: number;
  /** Relative rounding error of a component; smaller differences cannot be trusted. */
  readonly epsilon: number;
  /**
   * Takes ownership of a vector made elsewhere (an objective's gradient): the space will free it.
   * @throws InvalidArgumentError `WRONG_SHAPE` if it is not a vector of this space; the space frees it in this case too
   */
  adopt(vector: V): V;
  /**
   * Takes ownership of scalars that an objective returned.
   * @throws InvalidArgumentError `WRONG_TYPE` if one is not a scalar of this space; the space frees the others in this
   *   case too
   */
  adoptScalars(scalars: readonly S[]): readonly S[];
  /** A copy that may outlive the original. */
  copy(vector: V): V;
  /** Frees vectors; does nothing for those already freed. */
  dispose(...vectors: readonly V[]): void;
  /** Frees scalars; does nothing for those already freed. */
  disposeScalars(scalars: readonly S[]): void;
  /** Frees everything that is still alive. Safe to call twice. */
  close(): void;
  /** Sum of coefficients[i] * vectors[i]; at least one vector. */
  combine(coefficients: readonly number[], vectors: readonly V[]): V;
  /** Component by component. */
  multiply(a: V, b: V): V;
  /** numerator / (sqrt(square) + epsilon), component by component: the step of Adam. */
  divideByRoot(numerator: V, square: V, epsilon: number): V;
  /** The nearest point of the box. */
  project(x: V, bounds: Bounds<V>): V;
  /**
   * 0 where a bound keeps x from moving along -gradient (x at the lower bound and gradient > 0, or the reverse), else
   * 1.
   */
  freeMask(x: V, gradient: V, bounds: Bounds<V>): V;
  /**
   * Applies the caller's symmetric positive operator; for some operators a space has faster kernels than their own
   * `apply`.
   */
  precondition(preconditioner: Preconditioner<X>, vector: V): V;
  /**
   * Optional, for spaces that store vectors in less memory: a vector's components rounded to 8 bits, those of each
   * block of 64 to multiples of 1/127 of the block's largest magnitude. The result is accepted by {@link combine}, by
   * {@link dispose}, and as a left vector of {@link measure}'s products, by nothing else. Right vectors beside it are
   * rounded likewise, to 16 bits.
   */
  pack?(vector: V): V;
  /** The numbers of each quantity, all in one read-back. */
  measure<Q extends readonly Quantity<V, S>[]>(quantities: Q): Promise<{ [I in keyof Q]: number[] }>;
}

/** A quantity that {@link VectorSpace.measure} computes. */
export type Quantity<V, S> =
  /** The inner products of each left vector with each right one, row by row. */
  | { readonly kind: 'products'; readonly left: readonly V[]; readonly right: readonly V[] }
  /** The largest magnitude of a component of each vector. */
  | { readonly kind: 'largest'; readonly of: readonly V[] }
  /**
   * The largest magnitude of a component of x - project(x - scale * gradient) for an x in the box, computed as
   * min(max(scale * gradient, x - upper), x - lower): the difference would lose a gradient that is small beside x.
   */
  | {
      readonly kind: 'projectedGradient';
      readonly x: V;
      readonly gradient: V;
      /** A power of two. */
      readonly scale: number;
      readonly bounds: Bounds<V>;
    }
  /** Scalars of an objective. */
  | { readonly kind: 'scalars'; readonly of: readonly S[] };

/** The number of numbers in a quantity. */
export function countOf(quantity: Quantity<unknown, unknown>): number {
  if (quantity.kind === 'products') return quantity.left.length * quantity.right.length;
  return quantity.kind === 'projectedGradient' ? 1 : quantity.of.length;
}

/** A box, by numbers or component by component. An undefined bound does not constrain. */
export interface Bounds<V> {
  readonly lower: number | V | undefined;
  readonly upper: number | V | undefined;
}

/**
 * A symmetric positive definite operator that resembles the inverse of the objective's Hessian up to a factor.
 * L-BFGS starts its recursion from a multiple of it instead of a multiple of the identity.
 */
export interface Preconditioner<V> {
  /** The operator at `vector`, as a new vector of the same shape that belongs to the caller. */
  apply(vector: V): V;
}

/** The error for a result of an objective or preconditioner that is not a vector of the run's space. */
export function wrongShape(value: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'WRONG_SHAPE',
    `The objective or preconditioner returned ${showValue(value)}; accepted: ${accepted}.`,
    { option: 'objective', value, accepted },
  );
}

/** The error for a value or term of an objective that is not a scalar of the run's space. */
export function wrongScalar(value: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'WRONG_TYPE',
    `The objective returned ${showValue(value)} as its value or one of its terms; accepted: ${accepted}.`,
    { option: 'objective', value, accepted },
  );
}

/** Throws unless all scalars are numbers; for spaces whose scalars are numbers. */
export function requireNumbers(scalars: readonly number[]): readonly number[] {
  for (const scalar of scalars) if (typeof scalar !== 'number') throw wrongScalar(scalar, 'a number');
  return scalars;
}
