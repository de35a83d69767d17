import type { KernelRunner } from '../runtime/kernel-runner';
import { itemsOf } from './items';
import type { Sweep, Taps } from './sweeps';
import type { PackedSweep } from './weights';

/** Arguments of {@link runSweep}. */
export interface SweepArguments {
  readonly sweep: PackedSweep;
  /** Address of a reader, and its channels in memory. */
  readonly reader: number;
  readonly channelsIn: number;
  /** Address and extent of the map that the sweep, perhaps with others, fills. */
  readonly output: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Address; 0 for none. */
  readonly bias?: number;
  /** Where each item writes its sums; 0 for nowhere. */
  readonly moments?: number;
}

/** Runs the convolution kernel for a sweep. @returns the number of items */
export function runSweep(engine: KernelRunner, args: SweepArguments): number {
  const { sweep, reader, channelsIn, output, height, width, channels, bias = 0, moments = 0 } = args;
  const { rows, columns, weights } = sweep;
  const [outRows, outColumns] = [outputsOf(height, rows), outputsOf(width, columns)];
  const cut = itemsOf(outRows, outColumns);
  const pixel = 4 * channels;
  const row = pixel * width;
  engine.needScratch(windowScratch(sweep, cut.columns, channelsIn, channels));
  const to = output + rows.first * row + columns.first * pixel;
  engine.run(
    'generatorConvolution',
    [
      ...windowArguments(sweep, reader),
      ...[to, weights, bias, moments],
      ...[0, outRows, outColumns, channels, cut.rows, cut.columns, cut.across],
      ...[rows.step * row, columns.step * pixel],
    ],
    cut.items,
  );
  return cut.items;
}

/** A window as kernels take it (assembly/window.ts). */
export const windowArguments = ({ rows, columns, stride, padding }: Sweep, reader: number): number[] => [
  ...[reader, rows.taps.length, columns.taps.length, stride, rows.pad, columns.pad],
  paddingCodes[padding],
];

/** Paddings as the kernels number them. */
export const paddingCodes = { zero: 0, replicate: 1, reflect: 2 } as const;

/** Bytes that kernels with a window need for rows of `width` outputs. */
export function windowScratch(
  { rows, columns, stride }: Sweep,
  width: number,
  channelsIn: number,
  channels: number,
): number {
  const row = ((width + 7) * stride + columns.taps.length + 4) * channelsIn * 4 + 64;
  return 1024 + row * rows.taps.length + (width + 8) * channels * 4;
}

/** Outputs of a sweep along an axis of a length. */
const outputsOf = (length: number, { first, step }: Taps): number => Math.ceil((length - first) / step);
