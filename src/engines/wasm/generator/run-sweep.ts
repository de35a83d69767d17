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

/**
 * Runs a convolution kernel for a sweep.
 *
 * @param filters those of Winograd's convolution, of a 3x3 kernel; by default the sweep's own are multiplied with
 * @returns the number of items
 */
export function runSweep(engine: KernelRunner, args: SweepArguments, filters?: number): number {
  const { sweep, reader, channelsIn, output, height, width, channels, bias = 0, moments = 0 } = args;
  const { rows, columns, weights } = sweep;
  const [outRows, outColumns] = [outputsOf(height, rows), outputsOf(width, columns)];
  const cut = itemsOf(outRows, outColumns, filters ? mostTiles(channelsIn, channels) * 4 : 256);
  const pixel = 4 * channels;
  const row = pixel * width;
  const scratch = filters ? winogradScratch : windowScratch;
  engine.needScratch(scratch(sweep, cut.columns, channelsIn, channels));
  const to = output + rows.first * row + columns.first * pixel;
  engine.run(
    filters ? 'generatorWinograd' : 'generatorConvolution',
    [
      ...windowArguments(sweep, reader),
      ...[to, filters ?? weights, bias, moments],
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

/** Tiles in a row whose transformed input and output stay in the second-level cache, as in network/convolve.ts. */
const mostTiles = (channelsIn: number, channels: number): number =>
  8 * Math.max(1, Math.floor(512 / (channelsIn + channels)));

/** Bytes that Winograd's kernel needs for rows of `width` outputs. */
function winogradScratch(_sweep: Sweep, width: number, channelsIn: number, channels: number): number {
  const columns = width + 16;
  const tiles = columns / 4;
  const planes = 36 * (4 * tiles * (channelsIn + channels) + 128);
  return 8192 + 6 * 4 * columns * channelsIn + planes + 4 * 4 * columns * channels;
}

/** Outputs of a sweep along an axis of a length. */
const outputsOf = (length: number, { first, step }: Taps): number => Math.ceil((length - first) / step);
