import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import { requireKnownOptions, requireNumber } from '../options/validate';
import { Lifetime } from '../owning';
import { lbfgs } from './lbfgs';
import type { Method } from './method';
import { type MinimizeResult, type MinimizeSettings, type MinimizeStep, minimizeIn } from './minimize-in';
import {
  arrayProblem,
  type ObjectiveFunction,
  type ObjectiveValue,
  type Problem,
  tensorProblem,
} from './problem';
import type { Tolerance } from './stop-rule';
import type { Bounds } from './vector-space';

/** What can be minimised over: double-precision numbers, or a float32 tensor of any shape. */
export type Vector = Float64Array | tf.Tensor;

/** An objective's value over vectors `V`: a number, or a scalar that is still on the device. */
export type ScalarOf<V> = V extends tf.Tensor ? tf.Scalar : number;

/**
 * What `minimize` takes: a function from a vector to value and gradient, or an object with such a function as `evaluate`.
 * What it returns belongs to `minimize` (tensors are disposed); the vector that it is given does not.
 */
export type MinimizeObjective<V> =
  | ObjectiveFunction<V, ScalarOf<V>>
  | {
      /** Value and gradient at `x`. */
      evaluate(x: V): ObjectiveValue<V, ScalarOf<V>> | Promise<ObjectiveValue<V, ScalarOf<V>>>;
      /** Of an objective over tensors: the same function in a vector space of its engine's, for one run; see `Objective.problem`. */
      problem?(): Promise<Problem<unknown, unknown>> | undefined;
    };

/** Options of {@link minimize}. */
export interface MinimizeOptions<V> {
  /**
   * `lbfgs(...)` or `adam(...)`.
   * @default lbfgs()
   */
  readonly method?: Method<V> | undefined;
  /** [lower, upper], each a number or a vector of x's shape; infinite where there is no bound, lower at most upper. The start is projected into the box. */
  readonly bounds?: readonly [lower: number | V, upper: number | V] | undefined;
  /**
   * Accepted steps at most.
   * @default 1000
   */
  readonly maxIterations?: number;
  /**
   * Evaluations of the objective at most, the first included.
   * @default Infinity
   */
  readonly maxEvaluations?: number;
  /** When the run counts as converged; a number is the tolerance of the gradient. */
  readonly tolerance?: number | Tolerance;
  /** Checked before each evaluation. */
  readonly signal?: AbortSignal | undefined;
  /** Told of the start and of each accepted step, and waited for; answering `false` ends the run. */
  readonly onStep?: ((step: MinimizeStep<V>) => unknown) | undefined;
}

/**
 * Minimises a smooth function of a vector, in a box if bounds are given.
 *
 * Over tensors the device is waited for once an evaluation, to read one small tensor with the value, its terms and every inner product that
 * the method needs; all scalar arithmetic is in double precision on both kinds of vectors.
 *
 * @param objective value and gradient at a point, see {@link MinimizeObjective}
 * @param start where to begin: a `Float64Array`, or a float32 tensor of any shape. It stays the caller's and is not changed.
 * @param options see {@link MinimizeOptions}
 * @returns the lowest point found, which belongs to the caller, and why the run ended
 * @throws InvalidArgumentError if an option is unknown or out of range, or shapes do not match
 * @throws ComputationError if value or gradient is not finite at the start
 * @throws the signal's reason once it is aborted, and whatever the objective or `onStep` throws; all of the run's tensors are freed then too
 * @example
 * ```ts
 * const parabola = (x: Float64Array) => ({ value: (x[0] - 3) ** 2, gradient: Float64Array.of(2 * (x[0] - 3)) });
 * const { x, stopReason } = await minimize(parabola, Float64Array.of(0), { method: lbfgs() }); // x[0] is 3, 'converged'
 * ```
 */
export async function minimize<V extends Vector>(
  objective: MinimizeObjective<V>,
  start: V,
  options: MinimizeOptions<NoInfer<V>> = {},
): Promise<MinimizeResult<V>> {
  requireKnownOptions('minimize', options, optionNames);
  const {
    method = lbfgs(),
    maxIterations = 1000,
    maxEvaluations = Infinity,
    tolerance = {},
    signal,
    onStep,
  } = options;
  const ask = typeof objective === 'function' ? objective : objective?.evaluate?.bind(objective);
  requireThat(
    'objective',
    objective,
    typeof ask === 'function',
    'a function, or an object with a method evaluate',
  );
  requireThat('start', start, isVector(start), 'a Float64Array or a float32 tensor, not empty');
  requireThat('method', method, typeof method?.begin === 'function', 'lbfgs(...) or adam(...)');
  if (maxIterations !== Infinity) requireNumber('maxIterations', maxIterations, { min: 0, integer: true });
  if (maxEvaluations !== Infinity) requireNumber('maxEvaluations', maxEvaluations, { min: 1, integer: true });
  const box = boundsOf(options.bounds, start);
  signal?.throwIfAborted();
  const problem = await problemOf(objective, start);
  return minimizeProblem(problem, start, box, {
    method,
    maxIterations,
    maxEvaluations,
    tolerance: toleranceOf(tolerance),
    signal,
    onStep,
  });
}

const optionNames = ['method', 'bounds', 'maxIterations', 'maxEvaluations', 'tolerance', 'signal', 'onStep'];

/** The problem that an objective brings, or its function over arrays or tensors. */
async function problemOf<V extends Vector>(
  objective: MinimizeObjective<V>,
  start: V,
): Promise<Problem<unknown, unknown, V>> {
  const evaluate: unknown = (x: V) =>
    typeof objective === 'function' ? objective(x) : objective.evaluate(x);
  const problem: unknown =
    start instanceof Float64Array
      ? arrayProblem(evaluate as ObjectiveFunction<Float64Array, number>, start.length)
      : ((typeof objective === 'object' ? await objective.problem?.() : undefined) ??
        tensorProblem(evaluate as ObjectiveFunction<tf.Tensor, tf.Scalar>, start.shape));
  // The compiler does not follow the test of `start` into V.
  return problem as Problem<unknown, unknown, V>;
}

/** `minimizeIn` with start, bounds, steps and result in the caller's vectors. Closes the problem's space. */
async function minimizeProblem<V, S, X extends Vector>(
  problem: Problem<V, S, X>,
  start: X,
  { lower, upper }: Bounds<X>,
  settings: Omit<MinimizeSettings<V, X>, 'bounds' | 'onStep'> & Pick<MinimizeOptions<X>, 'onStep'>,
): Promise<MinimizeResult<X>> {
  const { space } = problem;
  const { method, onStep } = settings;
  const boundFrom = async (bound: number | X | undefined) =>
    typeof bound === 'object' ? problem.toVector(bound) : bound;
  try {
    problem.requireRoom?.((method.vectors ?? 0) + ownVectors);
    const bounds = { lower: await boundFrom(lower), upper: await boundFrom(upper) };
    const found = await minimizeIn(problem, await problem.toVector(start), {
      ...settings,
      bounds: bounds.lower === undefined && bounds.upper === undefined ? undefined : bounds,
      onStep: onStep && ((step) => tell(problem, step, onStep)),
    });
    return { ...found, x: problem.fromVector(found.x) };
  } finally {
    space.close();
  }
}

/** The start, two bounds, and what a preconditioner may need. */
const ownVectors = 4;

/** Tells a callback of a step. Its point becomes one of the caller's vectors when it is first read, and is freed after the callback. */
async function tell<V, S, X extends Vector>(
  problem: Problem<V, S, X>,
  step: MinimizeStep<V>,
  onStep: (step: MinimizeStep<X>) => unknown,
): Promise<unknown> {
  const life = new Lifetime("The step's x");
  let made: X | undefined;
  try {
    return await onStep({
      ...step,
      get x() {
        life.requireAlive();
        made ??= problem.fromVector(step.x);
        return made;
      },
    });
  } finally {
    life.end();
    if (made instanceof tf.Tensor) made.dispose();
  }
}

function boundsOf<V extends Vector>(bounds: MinimizeOptions<V>['bounds'], start: V): Bounds<V> {
  if (bounds === undefined) return { lower: undefined, upper: undefined };
  requireThat('bounds', bounds, Array.isArray(bounds) && bounds.length === 2, '[lower, upper]');
  const [lower, upper] = bounds;
  for (const [name, bound] of [
    ['bounds[0]', lower],
    ['bounds[1]', upper],
  ] as const) {
    const fits =
      typeof bound === 'number' ? !Number.isNaN(bound) : isVector(bound) && sameShape(bound, start);
    requireThat(name, bound, fits, "a number, or a vector of the start's kind and shape");
  }
  if (typeof lower === 'number' && typeof upper === 'number') {
    requireThat(
      'bounds',
      bounds,
      lower <= upper && lower < Infinity && upper > -Infinity,
      'a lower bound that is not above the upper one',
    );
  }
  const finite = (bound: number | V): number | V | undefined =>
    typeof bound === 'number' && !Number.isFinite(bound) ? undefined : bound;
  return { lower: finite(lower), upper: finite(upper) };
}

function toleranceOf(tolerance: number | Tolerance): Tolerance {
  const named = typeof tolerance === 'number' ? { gradient: tolerance } : tolerance;
  requireKnownOptions('tolerance', named, ['gradient', 'decrease']);
  if (named.gradient !== undefined) requireNumber('tolerance.gradient', named.gradient, { min: 0 });
  if (named.decrease !== undefined) requireNumber('tolerance.decrease', named.decrease, { min: 0 });
  return named;
}

function isVector(value: unknown): value is Vector {
  return value instanceof Float64Array
    ? value.length > 0
    : value instanceof tf.Tensor && value.dtype === 'float32' && value.size > 0;
}

function sameShape(a: Vector, b: Vector): boolean {
  if (a instanceof Float64Array || b instanceof Float64Array)
    return a instanceof Float64Array && b instanceof Float64Array && a.length === b.length;
  return tf.util.arraysEqual(a.shape, b.shape);
}

function requireThat(option: string, value: unknown, holds: boolean, accepted: string): asserts holds {
  if (holds) return;
  throw new InvalidArgumentError(
    'INVALID_ARGUMENT',
    `${option} is ${showValue(value)}; accepted: ${accepted}.`,
    { option, value, accepted },
  );
}
