import type { Sweep, Taps } from './sweeps';

/** A kernel [size][size][inputs][outputs]. */
export interface Kernel {
  readonly values: Float32Array;
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Channels in memory of what a sweep reads and of what it computes. */
export interface StoredChannels {
  readonly read: number;
  readonly computed: number;
}

/** Floats that {@link packSweep} writes. */
export function panelFloats(sweep: Sweep, { read, computed }: StoredChannels): number {
  const { rows, columns } = sweep;
  const taps = isNested(sweep)
    ? 25 * piecesOf(rows) * piecesOf(columns)
    : rows.taps.length * columns.taps.length;
  return taps * read * computed;
}

/** Whether a sweep is computed by nested Winograd convolutions (assembly/nested.ts): those of large kernels. */
export function isNested({ rows, columns, stride }: Sweep): boolean {
  const large = ({ taps }: Taps) => taps.length >= 5 && taps.every((same) => same.length === 1);
  return stride === 1 && large(rows) && large(columns);
}

/** Pieces of three taps. */
export const piecesOf = ({ taps }: Taps): number => Math.ceil(taps.length / 3);

/** Writes the part of a kernel that a sweep multiplies with, as the kernel that computes the sweep reads it. */
export function packSweep(
  kernel: Kernel,
  sweep: Sweep,
  channels: StoredChannels,
  swapped: boolean,
  to: Float32Array,
): void {
  if (!isNested(sweep)) {
    packPanels(kernel, sweep, channels, swapped, to);
    return;
  }
  const { values, size, inputs, outputs } = kernel;
  const { rows, columns } = sweep;
  const [down, across] = [piecesOf(rows), piecesOf(columns)];
  const length = inputs * outputs;
  const singly = (pieces: number) => Array.from({ length: pieces }, (_, k) => [k]);
  const pieces: Sweep = {
    ...sweep,
    rows: { ...rows, taps: singly(down) },
    columns: { ...columns, taps: singly(across) },
  };
  const panels = panelFloats(sweep, channels) / 25;
  for (let position = 0; position < 25; position++) {
    const [left, right] = [filterTransform[Math.floor(position / 5)], filterTransform[position % 5]];
    const transformed = new Float32Array(down * across * length);
    for (const [y, [ky]] of rows.taps.entries()) {
      for (const [x, [kx]] of columns.taps.entries()) {
        const factor = left[y % 3] * right[x % 3];
        const at = (Math.floor(y / 3) * across + Math.floor(x / 3)) * length;
        const from = (ky * size + kx) * length;
        for (let i = 0; i < length; i++) transformed[at + i] += factor * values[from + i];
      }
    }
    const part: Kernel = { values: transformed, size: across, inputs, outputs };
    packPanels(part, pieces, channels, swapped, to.subarray(position * panels, (position + 1) * panels));
  }
}

/** Winograd's F(3, 3) of a filter, with interpolation points +-1/2, +-3/2 and infinity. */
const filterTransform = [
  [-1 / 2, -1 / 4, -1 / 8],
  [1 / 2, -1 / 4, 1 / 8],
  [1 / 6, 1 / 4, 3 / 8],
  [-1 / 6, 1 / 4, -3 / 8],
  [0, 0, 1],
] as const;

/**
 * Panels [computed / 8][rows][columns][read][8], and behind them one of four channels if four are left.
 *
 * @param swapped whether the sweep reads the kernel's outputs and computes its inputs, as gradients do
 */
function packPanels(
  { values, size, inputs, outputs }: Kernel,
  { rows, columns }: Sweep,
  { read, computed }: StoredChannels,
  swapped: boolean,
  to: Float32Array,
): void {
  const [readCount, computedCount] = swapped ? [outputs, inputs] : [inputs, outputs];
  const [readStep, computedStep] = swapped ? [1, outputs] : [outputs, 1];
  let at = 0;
  for (let first = 0; first < computed; ) {
    const wide = computed - first >= 8 ? 8 : 4;
    const count = Math.max(0, Math.min(wide, computedCount - first));
    for (const ky of rows.taps) {
      for (const kx of columns.taps) {
        const taps = ky.flatMap((y) =>
          kx.map((x) => (y * size + x) * inputs * outputs + first * computedStep),
        );
        for (let k = 0; k < read; k++, at += wide) {
          to.fill(0, at, at + wide);
          if (k >= readCount) continue;
          for (const tap of taps) {
            const from = tap + k * readStep;
            for (let n = 0; n < count; n++) to[at + n] += values[from + n * computedStep];
          }
        }
      }
    }
    first += wide;
  }
}
