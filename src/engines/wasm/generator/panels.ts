import type { Sweep } from './sweeps';

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

/** Floats that {@link packPanels} writes. */
export const panelFloats = ({ rows, columns }: Sweep, { read, computed }: StoredChannels): number =>
  rows.taps.length * columns.taps.length * read * computed;

/**
 * Writes the part of a kernel that a sweep multiplies with, in the order in which the convolution kernel reads it:
 * panels [computed / 8][rows][columns][read][8], and behind them one of four channels if four are left.
 *
 * @param swapped whether the sweep reads the kernel's outputs and computes its inputs, as gradients do
 */
export function packPanels(
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
