import { any, number, optionTable } from '../options/table';
import { LbfgsStepper } from './lbfgs-stepper';
import type { Method } from './method';
import type { Run } from './run';
import type { Preconditioner } from './vector-space';

/** Options of {@link lbfgs}. */
export interface LbfgsOptions<X> {
  /**
   * Number of pairs of steps and gradient changes that are kept. A run holds 2 * memory + 11 vectors of x's size at
   * most: for an image of 512 x 512 pixels and 20 pairs 160 MB.
   * @default 20
   */
  readonly memory?: number;
  /** P of the recursion's initial matrix gamma P, in place of the identity; gamma = s.y / y.P y of the newest pair. */
  readonly preconditioner?: Preconditioner<X> | undefined;
  /**
   * Root-mean-square change of x in the first trial step, before any curvature is known.
   * @default 0.02
   */
  readonly firstStep?: number;
}

const lbfgsOptions = <X>() =>
  optionTable<LbfgsOptions<X>>()('lbfgs', {
    memory: number({ min: 1, integer: true, default: 20 }),
    preconditioner: any<Preconditioner<X>>(
      'an object with a method apply(vector)',
      (value) => typeof (value as Partial<Preconditioner<X>> | null)?.apply === 'function',
    ),
    firstStep: number({ min: 0, exclusive: true, default: 0.02 }),
  });

/**
 * L-BFGS (Nocedal & Wright, algorithm 7.5) with a strong-Wolfe line search (Moré & Thuente 1994), in a box if
 * `minimize` is given bounds, with a preconditioner if there is one.
 *
 * Bounds are kept by two-metric projection (Bertsekas 1982): components that a bound holds take no part in the
 * direction, the others move along the path project(x + step * direction), and the line search measures decrease along
 * that bent path. A pair whose curvature s.y is not positive is not kept; a step to a point whose value or gradient is
 * not finite is shortened; a direction that does not descend is replaced by the (preconditioned) steepest descent.
 *
 * @param options see {@link LbfgsOptions}
 * @returns a method for `minimize`; it holds no state and may be used for many runs
 * @throws InvalidArgumentError if an option is unknown or out of range
 * @example
 * ```ts
 * const { x } = await minimize(objective, start, { method: lbfgs({ memory: 10 }) });
 * ```
 */
export function lbfgs<X = unknown>(options: LbfgsOptions<X> = {}): Method<X> {
  const settings = lbfgsOptions<X>().read(options);
  return {
    name: 'lbfgs',
    vectors: 11,
    history: () => ({ pairs: settings.memory, bits: 32 }),
    withPairs: (pairs) => lbfgs({ ...options, memory: Math.min(pairs, settings.memory) }),
    monotone: true,
    begin: <V, S>(run: Run<V, S, X>, start: V) => LbfgsStepper.begin(run, start, settings),
  };
}
