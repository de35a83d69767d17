import type { Size } from '../../shared/fitting-size';
import { invocationsOf, type Tile } from '../device/product';
import { type Convolutions, type Way, wayKey, wayOf } from './convolutions';

/*
 * Measured tuning: which way of a convolution takes the least time is measured on the device, for the shapes of an
 * objective's layers, in place of the table of adapters.
 */

/** A convolution to measure. */
export interface TunedLayer {
  readonly channelsIn: number;
  readonly channels: number;
  /** [height, width] of input and output. */
  readonly size: Size;
}

/** Measured ways of a layer, the fastest first, without those that the device cannot compute. */
export type Timings = readonly TimedWay[];

/** A way with the time it takes. */
export interface TimedWay extends Way {
  readonly milliseconds: number;
}

/** Measures the milliseconds that a layer takes in a way; infinity if the device cannot compute it so. */
export type TimeWay = (layer: TunedLayer, way: Way) => Promise<number>;

/** Where timings are kept. */
export interface TuningStore {
  read(layer: TunedLayer): Timings | undefined;
  write(layer: TunedLayer, timings: Timings): Promise<void>;
}

/** Tiles that are tried besides that of the table: more registers and fewer reads, or fewer registers. */
const tiles: readonly Tile[] = [
  { rows: 64, columns: 64, depth: 16, blockRows: 8, blockColumns: 8 },
  { rows: 128, columns: 64, depth: 16, blockRows: 8, blockColumns: 8 },
  { rows: 32, columns: 32, depth: 16, blockRows: 4, blockColumns: 4 },
];

/** What a workgroup of a device may have, of which every device has 16 KiB and 256. */
interface WorkgroupLimits {
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/** The ways that are measured for a layer: nine taps and windows of 4x4 by each tile, and windows of 2x2. */
export function candidatesOf(
  convolutions: Convolutions,
  { channelsIn, channels, size }: TunedLayer,
  limits: WorkgroupLimits,
): readonly Way[] {
  const bytes = convolutions.precision === 'mixed' ? 2 : 4;
  const memory = ({ rows, columns, depth }: Tile) => bytes * (rows * (depth + 4) + depth * columns);
  const isSoftware = convolutions.tile.rows < 64;
  const own = [convolutions.tile, ...(isSoftware ? [] : tiles)].filter(
    (tile, i, all) =>
      all.findIndex((one) => tileKey(one) === tileKey(tile)) === i &&
      memory(tile) <= limits.maxComputeWorkgroupStorageSize &&
      invocationsOf(tile) <= limits.maxComputeInvocationsPerWorkgroup,
  );
  const ways: Way[] = own.flatMap((tile) => [
    { form: 'taps', tile },
    { form: 'windows4', tile },
  ]);
  // In software the fused kernel is the slowest by far, and compiles for seconds.
  if (!isSoftware) ways.push({ form: 'windows2', tile: convolutions.tile });
  // What the table takes comes first.
  const table = wayOf({ ...convolutions, measured: undefined }, channelsIn, channels, size);
  return [table, ...ways.filter((way) => keyOf(way) !== keyOf(table))];
}

/** Options of {@link measuredWays}. */
export interface TuningOptions {
  readonly convolutions: Convolutions;
  readonly limits: WorkgroupLimits;
  readonly time: TimeWay;
  readonly store: TuningStore;
  /** Called with the number of ways that are measured, first 0, and of all; not at all if none is missing. */
  readonly onMeasured?: ((done: number, total: number) => void) | undefined;
}

/**
 * The timings of layers, by {@link wayKey}: those that the store has, and others measured now, one after the other.
 *
 * @throws what `time` does; a store that cannot be written throws nothing
 */
export async function timingsOf(
  layers: readonly TunedLayer[],
  { convolutions, limits, time, store, onMeasured = () => {} }: TuningOptions,
): Promise<ReadonlyMap<string, Timings>> {
  const found = new Map<string, Timings>();
  const missing: { readonly layer: TunedLayer; readonly ways: readonly Way[] }[] = [];
  for (const layer of layers) {
    const key = layerKey(layer);
    if (found.has(key)) continue;
    found.set(key, store.read(layer) ?? []);
    if (found.get(key)?.length === 0)
      missing.push({ layer, ways: candidatesOf(convolutions, layer, limits) });
  }
  const total = missing.reduce((sum, { ways }) => sum + ways.length, 0);
  let done = 0;
  if (total > 0) onMeasured(done, total);
  for (const { layer, ways } of missing) {
    const timings: TimedWay[] = [];
    for (const way of ways) {
      const milliseconds = await time(layer, way);
      if (Number.isFinite(milliseconds)) timings.push({ ...way, milliseconds });
      onMeasured(++done, total);
    }
    timings.sort((a, b) => a.milliseconds - b.milliseconds);
    found.set(layerKey(layer), timings);
    if (timings.length > 0) await store.write(layer, timings);
  }
  return found;
}

/** The fastest ways of layers, by {@link wayKey}. @param isAllowed whether a way may be taken */
export function fastest(
  timings: ReadonlyMap<string, Timings>,
  isAllowed: (way: Way) => boolean = () => true,
): ReadonlyMap<string, Way> {
  return new Map(
    [...timings].flatMap(([key, ways]) => {
      const way = ways.find(isAllowed);
      return way ? [[key, { form: way.form, tile: way.tile }] as const] : [];
    }),
  );
}

/** A layer's name in {@link Convolutions.measured} and in files. */
export const layerKey = ({ channelsIn, channels, size }: TunedLayer): string =>
  wayKey(channelsIn, channels, size);

const tileKey = ({ rows, columns, blockRows, blockColumns }: Tile) =>
  `${rows} ${columns} ${blockRows} ${blockColumns}`;

const keyOf = ({ form, tile }: Way) => (form === 'windows2' ? form : `${form} ${tileKey(tile)}`);
