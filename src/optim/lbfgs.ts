import { InvalidArgumentError } from '../errors';
import { any, number, oneOf, optionTable } from '../options/table';
import type { History } from './history';
import { LbfgsStepper } from './lbfgs-stepper';
import type { Method } from './method';
import { isPyramid } from './pyramid-preconditioner';
import type { Run } from './run';
import type { Preconditioner } from './vector-space';

/** Options of {@link lbfgs}. */
export interface LbfgsOptions<X> {
  /**
   * Number of pairs of steps and gradient changes that are kept. Beside them a run holds 11 vectors of x's size.
   * For an image of 512 x 512 pixels both take 140 MB with 64 pairs of 8 bits, 160 MB with 20 pairs in float32.
   * @default 64 with 8 bits, else 20
   */
  readonly memory?: number;
  /**
   * Precision in which pairs are kept; all else is computed in that of the vectors. `'int8'` rounds blocks of 64
   * components to multiples of 1/127 of their largest magnitude. It is for runs in the memory of the wasm engine only:
   * over arrays, and tensors of other engines, pairs have the precision of these, which `'float32'` stands for.
   * @default 'int8' in the memory of the wasm engine, else 'float32'
   */
  readonly precision?: 'float32' | 'int8';
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
    memory: number({ min: 1, integer: true }),
    precision: oneOf(['float32', 'int8'], {}),
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
 * @throws InvalidArgumentError if an option is unknown or out of range; `minimize` throws it before any evaluation if
 *   precision is `'int8'` and the vectors are not in the memory of the wasm engine
 * @example
 * ```ts
 * const { x } = await minimize(objective, start, { method: lbfgs({ memory: 10 }) });
 * ```
 */
export function lbfgs<X = unknown>(options: LbfgsOptions<X> = {}): Method<X> {
  return methodOf(lbfgsOptions<X>().read(options), Infinity);
}

/** @param most limit of pairs, also of the default */
function methodOf<X>(
  settings: ReturnType<ReturnType<typeof lbfgsOptions<X>>['read']>,
  most: number,
): Method<X> {
  const { memory, precision, preconditioner, firstStep } = settings;
  const history = (packs: boolean): History => {
    if (precision === 'int8' && !packs) throw noPacking();
    const bits = packs && precision !== 'float32' ? 8 : 32;
    return { pairs: Math.min(memory ?? defaultPairs[bits], most), bits };
  };
  return {
    name: 'lbfgs',
    options: recordable(settings),
    vectors: 11,
    history,
    withPairs: (pairs) => methodOf(settings, Math.min(pairs, most)),
    monotone: true,
    begin: <V, S>(run: Run<V, S, X>, start: V) =>
      LbfgsStepper.begin(run, start, {
        history: history(run.space.pack !== undefined),
        preconditioner,
        firstStep,
      }),
  };
}

/**
 * Pairs by bits of a component. More pairs need fewer evaluations: on a photograph of 256 pixels 110 with 20 pairs in
 * float32, 99 with 50 and 95 with 64 in 8 bits, to the same loss; 64 take less memory than 20 in float32.
 */
const defaultPairs = { 8: 64, 32: 20 } as const;

function noPacking(): InvalidArgumentError {
  const accepted = "'float32', or an objective of the wasm engine";
  return new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `precision of lbfgs is 'int8', but the vectors of this run are not in the memory of the wasm engine, which alone stores 8 bits; accepted: ${accepted}.`,
    { option: 'precision', value: 'int8', accepted },
  );
}

/** Options as JSON; undefined beside a preconditioner that does not state its own. */
function recordable<X>({
  preconditioner,
  ...numbers
}: LbfgsOptions<X>): Readonly<Record<string, unknown>> | undefined {
  if (preconditioner === undefined) return numbers;
  if (!isPyramid(preconditioner)) return undefined;
  const { exponent, levels } = preconditioner;
  return { ...numbers, preconditioner: { kind: 'pyramid', exponent, levels } };
}
