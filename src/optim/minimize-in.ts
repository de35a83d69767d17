import { IterateAverage } from './iterate-average';
import type { Method, Stepper } from './method';
import type { Problem } from './problem';
import { Run } from './run';
import { convergence, littleGain, type readStopWhen, type readTolerance } from './stop-rule';
import type { Bounds } from './vector-space';

/**
 * The loop of `minimize`, in any vector space: steps, progress, stop rules.
 *
 * @param start a vector of the problem's space; the run disposes it
 * @returns the lowest point or the average, a vector of the space
 */
export async function minimizeIn<V, S, X>(
  problem: Problem<V, S, X>,
  start: V,
  options: MinimizeSettings<V, X>,
): Promise<MinimizeResult<V>> {
  const { space } = problem;
  const { bounds, maxIterations, maxEvaluations, signal, onStep, onInterrupted } = options;
  const { average = 0 } = options;
  // One evaluation is kept for the average.
  const limit = average > 0 ? Math.max(1, maxEvaluations - 1) : maxEvaluations;
  const run = new Run({ problem, bounds, maxEvaluations: limit, signal });
  const converged = convergence(options.tolerance, space.size, options.method.monotone ?? false);
  const { stopWhen, method } = options;
  const gainsLittle = stopWhen && littleGain(stopWhen, method.monotone ?? false);
  let iterations = 0;

  const stopAfter = async ({ position }: Stepper<V>): Promise<StopReason | undefined> => {
    const { x, value, terms, gradientNorm, step } = position;
    const { evaluations } = run;
    if (
      (await onStep?.({ iteration: iterations, evaluations, value, terms, gradientNorm, step, x })) === false
    )
      return 'callback';
    if (converged(position)) return 'converged';
    if (gainsLittle?.(value)) return 'stopWhen';
    return iterations >= maxIterations ? 'maxIterations' : undefined;
  };

  signal?.throwIfAborted();
  const inside = bounds ? space.project(start, bounds) : start;
  if (inside !== start) space.dispose(start);
  const stepper = await options.method.begin(run, inside);
  const averaged = average > 0 ? new IterateAverage(run, average, stepper.position.x) : undefined;
  let stopReason: StopReason | undefined;
  let mean: Awaited<ReturnType<NonNullable<typeof averaged>['evaluate']>>;
  try {
    stopReason = await stopAfter(stepper);
    while (stopReason === undefined) {
      const moved = await stepper.advance();
      if (moved === 'stalled') stopReason = 'stalled';
      else if (moved === 'exhausted') stopReason = 'maxEvaluations';
      else {
        iterations++;
        averaged?.add(stepper.position.x);
        stopReason = await stopAfter(stepper);
      }
    }
    mean = await averaged?.evaluate();
  } catch (error) {
    const { x, value, terms } = stepper.best;
    await onInterrupted?.({ x, value, terms, evaluations: run.evaluations }, error);
    throw error;
  }
  const { x, value, terms, gradientNorm } = mean ?? stepper.best;
  return { x, value, terms, gradientNorm, iterations, evaluations: run.evaluations, stopReason };
}

/** Options of {@link minimizeIn}: those of `minimize`, complete and in vectors of the space. */
export interface MinimizeSettings<V, X> {
  readonly method: Method<X>;
  readonly bounds: Bounds<V> | undefined;
  readonly maxIterations: number;
  readonly maxEvaluations: number;
  readonly tolerance: ReturnType<typeof readTolerance>;
  /** Decay of the average that is the result; 0 is none. */
  readonly average?: number | undefined;
  readonly stopWhen?: ReturnType<typeof readStopWhen> | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onStep: ((step: MinimizeStep<V>) => unknown) | undefined;
  readonly onInterrupted?: ((best: BestPoint<V>, reason: unknown) => unknown) | undefined;
}

/** Why a minimisation ended. */
export type StopReason =
  /** The gradient, or the change over ten iterations, is within its tolerance. */
  | 'converged'
  /** The value gains less than the option `stopWhen` asks for. */
  | 'stopWhen'
  | 'maxIterations'
  | 'maxEvaluations'
  /**
   * No lower point was found, not even along the steepest descent: rounding hides any further gain, or the gradient is
   * wrong.
   */
  | 'stalled'
  /** `onStep` returned `false`. */
  | 'callback';

/** The progress record that `onStep` receives. */
export interface MinimizeStep<V> {
  /** Steps taken so far; 0 at the start. */
  readonly iteration: number;
  readonly evaluations: number;
  readonly value: number;
  /** The summands of the value by name, if the objective reports them. */
  readonly terms: Readonly<Record<string, number>>;
  /** Largest magnitude of a component of x - project(x - gradient). */
  readonly gradientNorm: number;
  /** Length of the step in units of its direction; 0 at the start. */
  readonly step: number;
  /**
   * The point itself, created on first access; valid until the callback has returned, so copy it to keep it.
   */
  readonly x: V;
}

/** The lowest point of a run that ends early, for `onInterrupted`. */
export interface BestPoint<V> {
  /** The point itself, created on first access; valid until the callback has returned, so copy it to keep it. */
  readonly x: V;
  readonly value: number;
  /** The summands of the value by name, if the objective reports them. */
  readonly terms: Readonly<Record<string, number>>;
  /** Evaluations of the objective, with one that failed. */
  readonly evaluations: number;
}

/** Result of `minimize`. */
export interface MinimizeResult<V> {
  /** The lowest point found, or with `average` the average of all. It belongs to the caller. */
  readonly x: V;
  /** The value at `x`. */
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Largest magnitude of a component of x - project(x - gradient). */
  readonly gradientNorm: number;
  /** Accepted steps. */
  readonly iterations: number;
  /** Evaluations of the objective. */
  readonly evaluations: number;
  readonly stopReason: StopReason;
}
