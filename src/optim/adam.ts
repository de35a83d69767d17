import { requireKnownOptions, requireNumber } from '../options/validate';
import { AdamStepper } from './adam-stepper';
import type { Method } from './method';
import type { Run } from './run';

/** Options of {@link adam}. */
export interface AdamOptions {
  /**
   * How far a component moves in a step at most, about.
   * @default 0.02
   */
  readonly learningRate?: number;
  /**
   * Memory of the mean gradient, in [0, 1).
   * @default 0.9
   */
  readonly beta1?: number;
  /**
   * Memory of the mean squared gradient, in [0, 1).
   * @default 0.999
   */
  readonly beta2?: number;
  /**
   * Added to the root of the mean square, so that vanishing gradients make no large steps.
   * @default 1e-8
   */
  readonly epsilon?: number;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1), one evaluation a step; with bounds, every step is projected to the box:
 * x <- project(x - learningRate * m / (sqrt(v) + epsilon)), m and v being the bias-corrected running means of gradient and squared gradient.
 * Where value or gradient is not finite the step is taken back, the running means are forgotten and the rate is halved.
 * Values need not fall at every step; the result is the best point that was seen.
 *
 * @param options see {@link AdamOptions}; the defaults but for the rate are those of the paper
 * @returns a method for `minimize`; it holds nothing and may be used again
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @example
 * ```ts
 * const { x } = await minimize(objective, start, { method: adam({ learningRate: 0.05 }), maxIterations: 200 });
 * ```
 */
export function adam(options: AdamOptions = {}): Method<unknown> {
  requireKnownOptions('adam', options, ['learningRate', 'beta1', 'beta2', 'epsilon']);
  const { learningRate = 0.02, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  requireNumber('learningRate', learningRate, { min: 0, exclusive: true });
  requireNumber('beta1', beta1, { min: 0, max: 1 - Number.EPSILON });
  requireNumber('beta2', beta2, { min: 0, max: 1 - Number.EPSILON });
  requireNumber('epsilon', epsilon, { min: 0, exclusive: true });
  return {
    name: 'adam',
    vectors: 10,
    begin: <V, S>(run: Run<V, S>, start: V) =>
      AdamStepper.begin(run, start, { learningRate, beta1, beta2, epsilon }),
  };
}
