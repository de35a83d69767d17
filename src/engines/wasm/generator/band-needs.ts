import type { Rows } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import { extentAt } from './extents';
import {
  type Convolution,
  type FeatureMap,
  inputsOf,
  type Operation,
  reductionOf,
  type Value,
} from './graph';
import { forwardSweeps, type Sweep, sweepRows } from './sweeps';

/** Rows of maps by map. */
export type NeededRows = ReadonlyMap<FeatureMap, Rows>;

/**
 * The rows of maps that some rows of a value depend on. Maps that are kept as a whole end the search; all others are
 * computed again, so that what these depend on is needed too.
 *
 * @param operations those before the value is read, in their order
 */
export function neededRows(
  reads: readonly { readonly value: Value; readonly rows: Rows }[],
  operations: readonly Operation[],
  kept: ReadonlySet<FeatureMap>,
  size: Size,
): NeededRows {
  const needed = new Map<FeatureMap, Rows>();
  const need = (value: Value, { from, to }: Rows) => {
    for (const { term, doubled } of value) {
      const rows = doubled ? { from: from >> 1, to: ((to - 1) >> 1) + 1 } : { from, to };
      const before = needed.get(term.map) ?? rows;
      needed.set(term.map, { from: Math.min(before.from, rows.from), to: Math.max(before.to, rows.to) });
    }
  };
  for (const { value, rows } of reads) need(value, rows);
  for (const operation of operations.toReversed()) {
    const rows = needed.get(operation.output);
    if (!rows || kept.has(operation.output)) continue;
    for (const value of inputsOf(operation)) need(value, inputRows(operation, rows, size));
  }
  return needed;
}

/** The rows of an operation's inputs that some rows of its output are computed from. */
export function inputRows(operation: Operation, rows: Rows, size: Size): Rows {
  if (operation.op === 'pool') return { from: rows.from * operation.factor, to: rows.to * operation.factor };
  return operation.op === 'convolution' ? windowRows(operation, rows, size) : rows;
}

function windowRows(convolution: Convolution, rows: Rows, size: Size): Rows {
  const [height] = extentAt(size, { reduction: reductionOf(convolution.input) });
  const last = height - 1;
  const parts = forwardSweeps(convolution).map((sweep) => {
    const { from, to } = sweepRows(sweep.rows, rows);
    return touched(sweep, from, to - 1);
  });
  let first = Math.min(...parts.map(({ from }) => from));
  let end = Math.max(...parts.map(({ to }) => to));
  // A mirror image beyond the border shows rows inside.
  if (first < 0) end = Math.max(end, -first + 1);
  if (end > height) first = Math.min(first, 2 * last - (end - 1));
  return { from: Math.max(0, first), to: Math.min(height, end) };
}

/** Rows that the windows of outputs `first` to `last` of a sweep read, those beyond the border too. */
function touched({ rows, stride }: Sweep, first: number, last: number): Rows {
  // Kernels that compute tiles of outputs read the rows of whole tiles.
  const whole = stride === 1 ? 4 : 0;
  return {
    from: first * stride - rows.pad,
    to: last * stride - rows.pad + Math.max(1, rows.taps.length) + whole,
  };
}
