import type { History } from './history';
import type { Run } from './run';

/**
 * A minimisation method, made by `lbfgs()` or `adam()`, for `minimize`. `X` is the caller's kind of vector, to which a
 * preconditioner is applied; the run itself may use another kind of vector that represents those.
 */
export interface Method<X> {
  /** Name in reports: `'lbfgs'`. */
  readonly name: string;
  /** The options that it was made with and their defaults, as JSON; undefined if JSON cannot hold them. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** Upper bound on simultaneously live vectors in float32, beside the {@link history}; undefined if unknown. */
  readonly vectors?: number;
  /**
   * What a run keeps of earlier steps. Without it a method keeps nothing beside {@link vectors}.
   * @param packs whether the run's vector space stores vectors in 8 bits: that of the wasm engine does
   * @throws InvalidArgumentError `CONFLICTING_OPTIONS` if the method was told to keep what such a space does not store
   */
  history?(packs: boolean): History;
  /** The same method with a history of at most this number of pairs, for less memory. */
  withPairs?(pairs: number): Method<X>;
  /** Whether values never rise, apart from rounding. @default false */
  readonly monotone?: boolean;
  /** Evaluates the first point and gets ready for steps. */
  begin<V, S>(run: Run<V, S, X>, start: V): Promise<Stepper<V>>;
}

/** Whether something is a {@link Method}. */
export function isMethod(value: unknown): value is Method<unknown> {
  return typeof (value as Partial<Method<unknown>> | null | undefined)?.begin === 'function';
}

/** The state of a method during a run. */
export interface Stepper<V> {
  /** The current point. Its vector belongs to the run and is valid until the next step. */
  readonly position: Position<V>;
  /** The lowest point so far. */
  readonly best: Position<V>;
  /**
   * Takes one step: `'stepped'`, or if it cannot, `'stalled'` (no lower point can be found) or `'exhausted'` (no
   * evaluations left). In every case {@link position} is a point that has been evaluated.
   */
  advance(): Promise<'stepped' | 'stalled' | 'exhausted'>;
}

/** An evaluated point. */
export interface Position<V> {
  readonly x: V;
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Largest magnitude of a component of x - project(x - gradient): 0 at a minimum, with bounds or without. */
  readonly gradientNorm: number;
  /**
   * Largest magnitude of a component of the gradient that no bound holds. In contrast to {@link gradientNorm} it grows
   * with the objective.
   */
  readonly freeNorm: number;
  /** Step length along the search direction that led here; 0 at the start. */
  readonly step: number;
  /** Root-mean-square change of x in the step that led here, or an upper bound of it; 0 at the start. */
  readonly moved: number;
}
