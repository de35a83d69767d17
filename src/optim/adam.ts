import { number, optionTable } from '../options/table';
import { AdamStepper } from './adam-stepper';
import type { Method } from './method';
import type { Run } from './run';

/** Options of {@link adam}. */
export interface AdamOptions {
  /**
   * About the largest change of a component in a step.
   * @default 0.02
   */
  readonly learningRate?: number;
  /**
   * Decay rate of the mean gradient, in [0, 1).
   * @default 0.9
   */
  readonly beta1?: number;
  /**
   * Decay rate of the mean squared gradient, in [0, 1).
   * @default 0.999
   */
  readonly beta2?: number;
  /**
   * Added to the root of the mean square, in units of the gradient, so that vanishing gradients make no large steps.
   * @default 1e-8
   */
  readonly epsilon?: number;
}

const adamOptions = optionTable<AdamOptions>()('adam', {
  learningRate: number({ min: 0, exclusive: true, default: 0.02 }),
  beta1: number({ min: 0, max: 1 - Number.EPSILON, default: 0.9 }),
  beta2: number({ min: 0, max: 1 - Number.EPSILON, default: 0.999 }),
  epsilon: number({ min: 0, exclusive: true, default: 1e-8 }),
});

/**
 * Adam (Kingma & Ba 2015, algorithm 1), one evaluation a step; with bounds, every step is projected to the box:
 *
 *   x <- project(x - learningRate * m / (sqrt(v) + epsilon))
 *
 * with m and v the bias-corrected running means of gradient and squared gradient. Where value or gradient is not finite
 * the step is taken back, the running means are forgotten and the rate is halved. Values need not fall at every step;
 * the result is the best point evaluated.
 *
 * @param options see {@link AdamOptions}; all defaults except the rate are the paper's
 * @returns a method for `minimize`; it holds no state and may be used for many runs
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @example
 * ```ts
 * const { x } = await minimize(objective, start, { method: adam({ learningRate: 0.05 }), maxIterations: 200 });
 * ```
 */
export function adam(options: AdamOptions = {}): Method<unknown> {
  const settings = adamOptions.read(options);
  return {
    name: 'adam',
    options: settings,
    vectors: 9,
    begin: <V, S>(run: Run<V, S, unknown>, start: V) => AdamStepper.begin(run, start, settings),
  };
}
