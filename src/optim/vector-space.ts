/**
 * Where an optimiser's vectors live and how they are calculated with. The algorithms of this folder do scalar arithmetic in
 * double precision and touch vectors only through this interface, so that one algorithm runs on `Float64Array`s, on tensors of
 * any backend, and on vectors in an engine's own memory. `V` is a vector, `S` a scalar as an objective returns it, and `X` the caller's
 * kind of vector that `V` stands for.
 *
 * A space is made for one run and knows every vector that is alive in it: {@link close} frees whatever is left.
 * Operations return new vectors; they never write into their arguments.
 */
export interface VectorSpace<V, S, X = V> {
  /** Number of components of every vector of the space. */
  readonly size: number;
  /** Relative rounding error of a component: what differences are measured against before they are believed. */
  readonly epsilon: number;
  /** Takes over a vector that was made elsewhere (an objective's gradient): from now on the space frees it. */
  adopt(vector: V): V;
  /** Hands a vector over to the caller: the space no longer frees it. */
  release(vector: V): V;
  /** A copy that may outlive the original. */
  copy(vector: V): V;
  /** Frees vectors. Those already freed or released are left alone. */
  dispose(...vectors: readonly V[]): void;
  /** Frees a scalar that an objective returned. */
  disposeScalar(scalar: S): void;
  /** Frees every vector that is still alive. */
  close(): void;
  /** Sum of coefficients[i] * vectors[i]; at least one vector. */
  combine(coefficients: readonly number[], vectors: readonly V[]): V;
  /** Component by component. */
  multiply(a: V, b: V): V;
  /** numerator / (sqrt(square) + epsilon), component by component: the step of Adam. */
  divideByRoot(numerator: V, square: V, epsilon: number): V;
  /** The nearest point of the box. */
  project(x: V, bounds: Bounds<V>): V;
  /** 0 where a bound holds x against its descent direction (x at the lower bound and gradient > 0, or the reverse), else 1. */
  freeMask(x: V, gradient: V, bounds: Bounds<V>): V;
  /** Applies a symmetric positive operator of the caller's; a space may know a faster way to some of them than their own `apply`. */
  precondition(preconditioner: Preconditioner<X>, vector: V): V;
  /** Everything that is asked for, each as its numbers, in one read-back. */
  measure<Q extends readonly Quantity<V, S>[]>(quantities: Q): Promise<{ [I in keyof Q]: number[] }>;
}

/** What {@link VectorSpace.measure} can be asked for. */
export type Quantity<V, S> =
  /** The inner products of each left vector with each right one, row by row. */
  | { readonly kind: 'products'; readonly left: readonly V[]; readonly right: readonly V[] }
  /** The largest magnitude of a component: one number. */
  | { readonly kind: 'largest'; readonly of: V }
  /** Scalars of an objective. */
  | { readonly kind: 'scalars'; readonly of: readonly S[] };

/** A box, by numbers or component by component. A bound that is left out does not bind. */
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
