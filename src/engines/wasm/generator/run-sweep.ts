import type { Rows } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import type { KernelRunner } from '../runtime/kernel-runner';
import type { KernelName } from '../runtime/kernels';
import { itemsOf } from './items';
import { isNested, piecesOf } from './panels';
import { type Sweep, sweepRows, type Taps } from './sweeps';
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
  /** Rows that are computed. @default all */
  readonly rows?: Rows;
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
  const { name, most, unit, scratch, taps } = methodOf(sweep, channelsIn, channels, filters !== undefined);
  const { from, to: end } = sweepRows(rows, args.rows ?? { from: 0, to: height });
  const outColumns = outputsOf(width, columns);
  const cut = itemsOf(end - from, outColumns, most, unit);
  const pixel = 4 * channels;
  const row = pixel * width;
  engine.needScratch(scratch(cut.columns));
  const to = output + rows.first * row + columns.first * pixel;
  engine.run(
    name,
    [
      ...windowArguments(sweep, reader, taps),
      ...[to, filters ?? weights, bias, moments],
      ...[from, end, outColumns, channels, cut.rows, cut.columns, cut.across],
      ...[rows.step * row, columns.step * pixel],
    ],
    cut.items,
  );
  return cut.items;
}

/** The items of a sweep at most, whichever kernel computes it. */
export function sweepItems(
  sweep: Sweep,
  [height, width]: Size,
  channelsIn: number,
  channels: number,
): number {
  const counts = [true, false].map((winograd) => {
    const { most, unit } = methodOf(sweep, channelsIn, channels, winograd);
    const { across, items } = itemsOf(
      outputsOf(height, sweep.rows),
      outputsOf(width, sweep.columns),
      most,
      unit,
    );
    // Some of the rows may be cut into as many as 16 parts.
    return Math.max(items, 16 * across);
  });
  return Math.max(...counts);
}

/** A kernel that computes sweeps. */
interface Method {
  readonly name: KernelName;
  /** Columns of an item at most, so that what is read several times stays in the second-level cache. */
  readonly most: number;
  /** Rows that it computes together. */
  readonly unit: number;
  /** Bytes that it needs for rows of so many outputs. */
  scratch(width: number): number;
  /** Rows and columns of the window, in the kernel's own units. */
  readonly taps: readonly [rows: number, columns: number];
}

function methodOf(sweep: Sweep, channelsIn: number, channels: number, winograd: boolean): Method {
  const { rows, columns } = sweep;
  const taps = [rows.taps.length, columns.taps.length] as const;
  const both = channelsIn + channels;
  // Transformed tiles of input and output take at most 0.6 MB, as in network/convolve.ts.
  const fitting = 8 * Math.max(1, Math.floor(512 / both));
  if (winograd) {
    const scratch = (width: number) => {
      const read = width + 16;
      return 8192 + 24 * read * channelsIn + 36 * (read * both + 128) + 16 * read * channels;
    };
    return { name: 'generatorWinograd', most: 4 * fitting, unit: 4, scratch, taps };
  }
  if (isNested(sweep)) {
    const pieces = [piecesOf(rows), piecesOf(columns)] as const;
    const scratch = (width: number) => {
      const tiles = Math.ceil(width / 3) + pieces[1] + 8;
      const read = 40 * (3 * tiles * channelsIn + 16);
      const planes = 25 * (pieces[0] * (4 * tiles * channelsIn + 64) + 4 * tiles * channels);
      return 1024 + read + planes + 36 * tiles * channels;
    };
    return { name: 'generatorNested', most: Math.min(256, fitting), unit: 3, scratch, taps: pieces };
  }
  const scratch = (width: number) => windowScratch(sweep, width, channelsIn, channels);
  return { name: 'generatorConvolution', most: 256, unit: 4, scratch, taps };
}

/** A window as kernels take it (assembly/window.ts). */
export function windowArguments(
  { rows, columns, stride, padding }: Sweep,
  reader: number,
  taps: readonly [number, number] = [rows.taps.length, columns.taps.length],
): number[] {
  return [reader, ...taps, stride, rows.pad, columns.pad, paddingCodes[padding]];
}

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
