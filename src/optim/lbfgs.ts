import { InvalidArgumentError } from '../errors';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import { LbfgsStepper } from './lbfgs-stepper';
import { type LineSearchName, lineSearchNames } from './line-search';
import type { Method } from './method';
import type { Run } from './run';
import type { Preconditioner } from './vector-space';

/** Options of {@link lbfgs}. */
export interface LbfgsOptions<X> {
  /**
   * How many pairs of steps and gradient changes are kept. A run holds 2 * memory + 23 vectors of x's size at most:
   * for an image of 512 x 512 pixels and 20 pairs 200 MB.
   * @default 20
   */
  readonly memory?: number;
  /**
   * `'strong-wolfe'`: the search of Moré and Thuente, which guarantees that curvature can be learned from every step;
   * `'armijo'`: backtracking, which never lengthens a step.
   * @default 'strong-wolfe'
   */
  readonly lineSearch?: LineSearchName;
  /** What the recursion starts from in place of the identity, up to a factor that it finds itself. */
  readonly preconditioner?: Preconditioner<X> | undefined;
  /**
   * Root-mean-square change of x in the first trial step, when nothing is known of the curvature yet.
   * @default 0.02
   */
  readonly firstStep?: number;
}

/**
 * L-BFGS (Nocedal & Wright, algorithm 7.5) with a line search, in a box if `minimize` is given bounds, with a preconditioner if there is one.
 *
 * Bounds are kept by two-metric projection (Bertsekas 1982): components that a bound holds take no part in the direction, the others move
 * along the path project(x + step * direction), and the line search measures decrease along that bent path. A pair whose curvature s.y is
 * not positive is not kept; a step to where value or gradient is not finite is cut; a direction that does not descend is replaced
 * by the (preconditioned) steepest descent.
 *
 * @param options see {@link LbfgsOptions}
 * @returns a method for `minimize`; it holds nothing and may be used again
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @example
 * ```ts
 * const { x } = await minimize(objective, start, { method: lbfgs({ memory: 10 }) });
 * ```
 */
export function lbfgs<X = unknown>(options: LbfgsOptions<X> = {}): Method<X> {
  requireKnownOptions('lbfgs', options, ['memory', 'lineSearch', 'preconditioner', 'firstStep']);
  const { memory = 20, lineSearch = 'strong-wolfe', preconditioner, firstStep = 0.02 } = options;
  requireNumber('memory', memory, { min: 1, integer: true });
  requireName('lineSearch', lineSearch, lineSearchNames);
  requireNumber('firstStep', firstStep, { min: 0, exclusive: true });
  if (preconditioner !== undefined && typeof preconditioner?.apply !== 'function') {
    const accepted = 'an object with a method apply(vector)';
    throw new InvalidArgumentError('WRONG_TYPE', `preconditioner cannot be applied; accepted: ${accepted}.`, {
      option: 'preconditioner',
      value: preconditioner,
      accepted,
    });
  }
  return {
    name: 'lbfgs',
    vectors: 2 * memory + 23,
    begin: <V, S>(run: Run<V, S, X>, start: V) =>
      LbfgsStepper.begin(run, start, { memory, lineSearch, preconditioner, firstStep }),
  };
}
