import type { Grid } from './gpu';
import { type Binding, bytesOf, type Draft, type Shape } from './pieces';

/** The workgroups of a kernel that multiplies, in units of which some can be computed by a command of their own. */
export interface Work {
  /** Additions and multiplications of all units, see `Cost`. */
  readonly flop: number;
  readonly units: number;
  /** The workgroups of `count` units from a first one on, and the `shape` by which the kernel knows them. */
  part(from: number, count: number): { readonly grid: Grid; readonly shape?: Shape };
}

/** Additions and multiplications of a command: a tenth of a second on the slowest GPUs that are in use. */
const commandFlop = 2e10;

/** Units that a command computes of work, so that all commands compute about as many and none exceeds `most` FLOP. */
export function unitsEach({ flop, units }: Pick<Work, 'flop' | 'units'>, most = commandFlop): number {
  if (flop <= most) return units;
  const fitting = Math.max(1, Math.floor((units * most) / flop));
  return Math.ceil(units / Math.ceil(units / fitting));
}

/**
 * The commands of a kernel: one, or several where it multiplies more than a slow GPU can in a short time.
 *
 * @param names of the bindings, in their order
 * @param run the kernel's workgroups; of a kernel that multiplies, its work
 * @param most additions and multiplications of a command
 */
export function draftsOf(
  label: string,
  code: string,
  names: readonly string[],
  pieces: Readonly<Record<string, Binding | undefined>>,
  run: Grid | Work,
  most?: number,
): Draft[] {
  const draft = (grid: Grid, of: typeof pieces, flop: number, share: number): Draft => {
    const bindings = names.map((name) => of[name] as Binding);
    return { label, code, bindings, grid, cost: { flop, bytes: share * bytesOf(bindings) } };
  };
  if (!('flop' in run)) return [draft(run, pieces, 0, 1)];
  const { flop, units } = run;
  const each = unitsEach(run, most);
  return Array.from({ length: Math.ceil(units / each) }, (_, i) => {
    const count = Math.min(each, units - i * each);
    const { grid, shape } = run.part(i * each, count);
    const share = count / units;
    return draft(grid, shape ? { ...pieces, shape } : pieces, share * flop, share);
  });
}
