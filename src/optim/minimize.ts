import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import { abortSignal, any, callback, number, optionTable } from '../options/table';
import { Lifetime } from '../owning';
import { isVector, readBounds, type Vector } from './box';
import { averageOption, averageVectors } from './iterate-average';
import { lbfgs } from './lbfgs';
import { isMethod, type Method } from './method';
import {
  type BestPoint,
  type MinimizeResult,
  type MinimizeSettings,
  type MinimizeStep,
  minimizeIn,
} from './minimize-in';
import {
  arrayProblem,
  type ObjectiveFunction,
  type ObjectiveValue,
  type Problem,
  tensorProblem,
} from './problem';
import { readStopWhen, readTolerance, type StopWhen, stopWhenOption, type Tolerance } from './stop-rule';
import type { Bounds } from './vector-space';

/** An objective's value over vectors `V`: a number, or a scalar that is still on the device. */
export type ScalarOf<V> = V extends tf.Tensor ? tf.Scalar : number;

/**
 * The objective of `minimize`: a function from a vector to value and gradient, or an object with such a function as
 * `evaluate`. Its result belongs to `minimize`, which disposes tensors; the vector passed to it must not be disposed by
 * it.
 */
export type MinimizeObjective<V> =
  | ObjectiveFunction<V, ScalarOf<V>>
  | {
      /** Value and gradient at `x`. */
      evaluate(x: V): ObjectiveValue<V, ScalarOf<V>> | Promise<ObjectiveValue<V, ScalarOf<V>>>;
      /**
       * Optional, for objectives over tensors: the same function in the vector space of its engine, for one run; see
       * `Objective.problem`.
       */
      problem?(): Promise<Problem<unknown, unknown>> | undefined;
    };

/** Options of {@link minimize}. */
export interface MinimizeOptions<V> {
  /**
   * `lbfgs(...)` or `adam(...)`.
   * @default lbfgs()
   */
  readonly method?: Method<V> | undefined;
  /**
   * [lower, upper], each a number or a vector of x's shape; infinite where there is no bound, lower at most upper,
   * without NaN. The start is projected into the box.
   */
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
  /**
   * When the run counts as converged; a number is the tolerance of the gradient, and 0 means never.
   * @default the defaults of {@link Tolerance}
   */
  readonly tolerance?: number | Tolerance;
  /**
   * Ends the run when it gains little, with `stopReason: 'stopWhen'`; see {@link StopWhen}.
   * @default never
   */
  readonly stopWhen?: StopWhen | undefined;
  /**
   * The result is not the lowest point but the average of the start and all accepted steps, the last of which weighs 1
   * and each before it this factor less, from 0, which is off, to below 1. It evens out the noise of methods that take
   * steps of one length, such as Adam; its value comes from one more evaluation, the last, and may be above the lowest.
   * @default 0
   */
  readonly average?: number | undefined;
  /** Checked before each evaluation. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called at the start and after each accepted step; a returned promise is awaited, and the result `false` ends the
   * run.
   */
  readonly onStep?: ((step: MinimizeStep<V>) => unknown) | undefined;
  /**
   * Called once if the run ends by an error of any origin or by the signal, after its first evaluation: with the lowest
   * point so far, and what the run will be rejected with. A returned promise is awaited; an error of the callback takes
   * the place of the other.
   */
  readonly onInterrupted?: ((best: BestPoint<V>, reason: unknown) => unknown) | undefined;
}

const minimizeOptions = <V extends Vector>() =>
  optionTable<MinimizeOptions<V>>()('minimize', {
    method: any<Method<V>, { default: Method<V> }>('lbfgs(...) or adam(...)', isMethod, { default: lbfgs() }),
    // The box is checked against the start.
    bounds: any('[lower, upper]', () => true),
    maxIterations: number({ min: 0, integer: true, infinite: true, default: 1000 }),
    maxEvaluations: number({ min: 1, integer: true, infinite: true, default: Infinity }),
    tolerance: any<number | Tolerance, { default: Tolerance }>(
      'a number of at least 0, or { gradient, decrease }',
      (value) => typeof value === 'number' || (typeof value === 'object' && value !== null),
      { default: {} },
    ),
    stopWhen: stopWhenOption,
    average: averageOption,
    signal: abortSignal(),
    onStep: callback(),
    onInterrupted: callback(),
  });

/**
 * Minimises a smooth function of a vector, in a box if bounds are given.
 *
 * With tensors, the run waits for the device once per evaluation, to read one small tensor with the value, its terms
 * and every inner product that the method needs; all scalar arithmetic is in double precision on both kinds of vectors.
 *
 * @param objective value and gradient at a point, see {@link MinimizeObjective}
 * @param start where to begin: a `Float64Array`, or a float32 tensor of any shape. It remains the caller's and is not
 *   changed.
 * @param options see {@link MinimizeOptions}
 * @returns the lowest point found, which belongs to the caller, and why the run ended
 * @throws InvalidArgumentError if an option is unknown or out of range, or shapes do not match
 * @throws ComputationError if value or gradient is not finite at the start
 * @throws EnvironmentError if an engine's memory does not hold the vectors of the run
 * @throws the signal's reason once it is aborted, and any error of the objective or of `onStep`; the run's tensors are
 *   freed then too
 * @example
 * ```ts
 * const parabola = (x: Float64Array) => ({ value: (x[0] - 3) ** 2, gradient: Float64Array.of(2 * (x[0] - 3)) });
 * const { x, stopReason } = await minimize(parabola, Float64Array.of(0), { method: lbfgs() });
 * // x[0] is 3, stopReason is 'converged'
 * ```
 */
export async function minimize<V extends Vector>(
  objective: MinimizeObjective<V>,
  start: V,
  options: MinimizeOptions<NoInfer<V>> = {},
): Promise<MinimizeResult<V>> {
  const { bounds, tolerance, stopWhen, ...settings } = minimizeOptions<V>().read(options);
  if (typeof objective !== 'function' && typeof objective?.evaluate !== 'function')
    throw wrongArgument('objective', objective, 'a function, or an object with a method evaluate');
  if (!isVector(start))
    throw wrongArgument('start', start, 'a Float64Array or a float32 tensor, not empty and not disposed');
  const complete = {
    ...settings,
    tolerance: readTolerance(tolerance),
    stopWhen: stopWhen && readStopWhen(stopWhen),
  };
  settings.signal?.throwIfAborted();
  const box = await readBounds(bounds, start);
  return minimizeProblem(await problemOf(objective, start), start, box, complete);
}

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
  settings: Omit<MinimizeSettings<V, X>, 'bounds' | 'onStep' | 'onInterrupted'> &
    Pick<MinimizeOptions<X>, 'onStep' | 'onInterrupted'>,
): Promise<MinimizeResult<X>> {
  const { space } = problem;
  const { method, onStep, onInterrupted } = settings;
  const boundFrom = async (bound: number | X | undefined) =>
    typeof bound === 'object' ? problem.toVector(bound) : bound;
  try {
    const bands = [lower, upper].filter((bound) => typeof bound === 'object').length + pyramidVectors;
    const vectors = bands + (settings.average ? averageVectors : 0);
    problem.requireRoom?.((method.vectors ?? 0) + vectors, method.history?.(space.pack !== undefined));
    const bounds = { lower: await boundFrom(lower), upper: await boundFrom(upper) };
    const found = await minimizeIn(problem, await problem.toVector(start), {
      ...settings,
      bounds: bounds.lower === undefined && bounds.upper === undefined ? undefined : bounds,
      onStep: onStep && ((step) => lend(problem, step, onStep)),
      onInterrupted:
        onInterrupted && ((best, reason) => lend(problem, best, (own) => onInterrupted(own, reason))),
    });
    return { ...found, x: problem.fromVector(found.x) };
  } finally {
    space.close();
  }
}

/** The bands of a preconditioner, which take a third of a vector, in whole vectors. */
const pyramidVectors = 1;

/**
 * Calls back with a point, which is converted to the caller's kind of vector when first read, and freed after the
 * callback.
 */
async function lend<P extends { readonly x: V }, V, S, X extends Vector>(
  problem: Problem<V, S, X>,
  point: P,
  callback: (point: Omit<P, 'x'> & { readonly x: X }) => unknown,
): Promise<unknown> {
  const life = new Lifetime("The callback's x");
  let made: X | undefined;
  try {
    return await callback({
      ...point,
      get x() {
        life.requireAlive();
        made ??= problem.fromVector(point.x);
        // A callback may read it in a `tf.tidy`, and once more after that.
        if (made instanceof tf.Tensor) tf.keep(made);
        return made;
      },
    });
  } finally {
    life.end();
    if (made instanceof tf.Tensor) made.dispose();
  }
}

function wrongArgument(option: string, value: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'INVALID_ARGUMENT',
    `${option} is ${showValue(value)}; accepted: ${accepted}.`,
    { option, value, accepted },
  );
}
