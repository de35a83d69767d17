import type { Method, Stepper } from './method';
import { type ObjectiveFunction, Run } from './run';
import { convergence, type Tolerance } from './stop-rule';
import type { Bounds, VectorSpace } from './vector-space';

/**
 * The loop of `minimize`, in any vector space: steps, progress, stop rules, and the freeing of whatever is left, however it ends.
 *
 * @param start a vector of the caller's, unchanged
 */
export async function minimizeIn<V, S>(
  space: VectorSpace<V, S>,
  objective: ObjectiveFunction<V, S>,
  start: V,
  options: MinimizeSettings<V>,
): Promise<MinimizeResult<V>> {
  const { bounds, maxIterations, maxEvaluations, signal, onStep } = options;
  const run = new Run({ space, objective, bounds, maxEvaluations, signal });
  const converged = convergence(options.tolerance);
  let iterations = 0;

  const stopAfter = async ({ position }: Stepper<V>): Promise<StopReason | undefined> => {
    const { x, value, terms, gradientNorm, step } = position;
    const { evaluations } = run;
    if (
      (await onStep?.({ iteration: iterations, evaluations, value, terms, gradientNorm, step, x })) === false
    )
      return 'callback';
    if (converged(value, gradientNorm)) return 'converged';
    return iterations >= maxIterations ? 'maxIterations' : undefined;
  };

  try {
    signal?.throwIfAborted();
    const stepper = await options.method.begin(
      run,
      bounds ? space.project(start, bounds) : space.copy(start),
    );
    let stopReason = await stopAfter(stepper);
    while (stopReason === undefined) {
      const moved = await stepper.advance();
      if (moved === 'stalled') stopReason = 'stalled';
      else if (moved === 'exhausted') stopReason = 'maxEvaluations';
      else {
        iterations++;
        stopReason = await stopAfter(stepper);
      }
    }
    const { x, value, terms, gradientNorm } = stepper.best;
    return {
      x: space.release(x),
      value,
      terms,
      gradientNorm,
      iterations,
      evaluations: run.evaluations,
      stopReason,
    };
  } finally {
    run.close();
  }
}

/** Options of {@link minimizeIn}: those of `minimize`, complete. */
export interface MinimizeSettings<V> {
  readonly method: Method<V>;
  readonly bounds: Bounds<V> | undefined;
  readonly maxIterations: number;
  readonly maxEvaluations: number;
  readonly tolerance: Tolerance;
  readonly signal: AbortSignal | undefined;
  readonly onStep: ((step: MinimizeStep<V>) => unknown) | undefined;
}

/** Why a minimisation ended. */
export type StopReason =
  /** The gradient, or the decrease over several iterations, is below its tolerance. */
  | 'converged'
  | 'maxIterations'
  | 'maxEvaluations'
  /** No lower point can be found, not even along the steepest descent: rounding hides what is left, or the gradient is wrong. */
  | 'stalled'
  /** `onStep` answered `false`. */
  | 'callback';

/** What `onStep` is told. */
export interface MinimizeStep<V> {
  /** Steps taken so far; 0 when it tells of the start. */
  readonly iteration: number;
  readonly evaluations: number;
  readonly value: number;
  /** What the value is made of, if the objective says. */
  readonly terms: Readonly<Record<string, number>>;
  /** Largest magnitude of a component of x - project(x - gradient). */
  readonly gradientNorm: number;
  /** Length of the step in units of its direction; 0 at the start. */
  readonly step: number;
  /** The point itself; valid until the callback has returned, so copy what is to be kept. */
  readonly x: V;
}

/** What `minimize` returns. */
export interface MinimizeResult<V> {
  /** The lowest point found. It belongs to the caller. */
  readonly x: V;
  readonly value: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Largest magnitude of a component of x - project(x - gradient). */
  readonly gradientNorm: number;
  /** Accepted steps. */
  readonly iterations: number;
  /** How often the objective was asked. */
  readonly evaluations: number;
  readonly stopReason: StopReason;
}
