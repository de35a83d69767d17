import type { Size } from '../../shared/fitting-size';
import type { Grid, Slice } from '../device/gpu';
import { type Binding, type Draft, Piece, Shape } from '../device/pieces';
import type { Tile } from '../device/product';
import { draftsOf, unitsEach, type Work } from '../device/work';
import { fusedBindings, fusedGrid, fusedSource } from './fused-kernel';
import { rangeBindings, rangeBytes, rangeGrid, rangeSource } from './halves';
import { type MapKernel, mapBindings, mapGrid, mapSource } from './map-kernel';
import {
  fromPlanesBindings,
  fromPlanesSource,
  planeProductsBindings,
  planeProductsGrid,
  planeProductsSource,
  planes,
  toPlanesBindings,
  toPlanesSource,
  transformGrid,
  windowsAlong,
} from './plane-kernels';
import type { Precision } from './precision';
import type { WinogradKernel } from './winograd';

/** How convolutions are computed on a device. */
export interface Convolutions {
  /** Shape of the products' tiles, without its depth. */
  readonly tile: Tile;
  /** Whether those below {@link planesFrom} go by fused windows of 2x2 results, or by nine taps. */
  readonly fused: boolean;
  /** Numbers of channels, of the input and of the output, from which on windows of 4x4 results go by planes. */
  readonly planesFrom: number;
  /** Bytes that the planes of a layer may take at a time. */
  readonly planeBytes: number;
  /**
   * Additions and multiplications of one command, of terms too; what has more is computed by several. By default a
   * tenth of a second on the slowest GPUs that are in use.
   * @default 2e10
   */
  readonly commandFlop?: number | undefined;
  /** What convolutions multiply: numbers of 32 bits, or rounded to 16. @default 'float32' */
  readonly precision?: Precision | undefined;
  /** Ways of layers that were measured, by {@link wayKey}; others go by what is above. */
  readonly measured?: ReadonlyMap<string, Way> | undefined;
}

/** How the convolution of a layer is computed. */
export interface Way {
  readonly form: FilterForm;
  readonly tile: Tile;
}

/** The form of a convolution's filters: a value for each of nine taps, or Winograd's products of 2x2 or 4x4 results. */
export type FilterForm = 'taps' | 'windows2' | 'windows4';

/** What a {@link MapKernel} of a network is bound to, by name. */
export interface MapPieces {
  readonly [name: string]: Binding | undefined;
}

/** The filters of a convolution; in 16 bits divided by 2^exponent. */
export interface Filters extends Slice {
  readonly exponent?: number | undefined;
}

/** The filters of a convolution in one of their forms. */
export type FiltersOf = (form: FilterForm, precision: Precision) => Filters;

/** The form of a convolution that takes the least time on a device. */
export function formOf(
  { tile, fused, planesFrom }: Convolutions,
  channelsIn: number,
  channels: number,
  [height, width]: Size,
): FilterForm {
  const whole = (rows: number) => Math.ceil(rows / tile.rows) * tile.rows;
  // Of a small map, products by planes are mostly of rows that are not there.
  const products = planes * whole(windowsAlong(height) * windowsAlong(width));
  if (Math.min(channelsIn, channels) >= planesFrom && products < 9 * whole(height * width)) return 'windows4';
  return fused ? 'windows2' : 'taps';
}

/** The name of a convolution's shape. */
export const wayKey = (channelsIn: number, channels: number, [height, width]: Size): string =>
  `${channelsIn}-${channels} ${height}x${width}`;

/** How a convolution is computed: as was measured, else by {@link formOf}. */
export function wayOf(convolutions: Convolutions, channelsIn: number, channels: number, size: Size): Way {
  const measured = convolutions.measured?.get(wayKey(channelsIn, channels, size));
  return measured ?? { form: formOf(convolutions, channelsIn, channels, size), tile: convolutions.tile };
}

/**
 * The commands of a kernel over a map: one, or several if its convolution goes another way than by nine taps.
 *
 * @param size of the map
 * @param pieces by the names of {@link mapBindings}, without filters
 * @param filtersOf the filters, if there is a convolution
 */
export function mapDrafts(
  label: string,
  convolutions: Convolutions,
  kernel: Omit<MapKernel, 'tile'>,
  size: Size,
  pieces: MapPieces,
  filtersOf?: FiltersOf,
): Draft[] {
  const [height, width] = size;
  const { convolution, ofRelu, mask, ofMap, pool, channels } = kernel;
  const { precision = 'float32', commandFlop } = convolutions;
  const { form, tile } = convolution
    ? wayOf(convolutions, convolution.channelsIn, channels, size)
    : { form: undefined, tile: convolutions.tile };
  const halves = precision === 'mixed';
  const drafts = (name: string, code: string, names: readonly string[], of: MapPieces, run: Grid | Work) =>
    draftsOf(name, code, names, of, run, commandFlop);
  const filters = form && filtersOf?.(form, precision);
  const range = halves && convolution ? new Piece(`${label} range`, rangeBytes) : undefined;
  const exponent = filters?.exponent ?? 0;
  /** A kernel over a map, whose workgroups along y are rows of it. */
  const byRows = (code: string, names: readonly string[], [x, y, z]: Grid, flop: number) =>
    drafts(
      label,
      code,
      names,
      { ...pieces, filters, range },
      {
        flop,
        units: y,
        part: (from, count) => ({ grid: [x, count, z], shape: new Shape(height, width, exponent, from) }),
      },
    );
  const byTile = (whole: MapKernel) => {
    const { channelsIn = 0 } = whole.convolution ?? {};
    const matrices = [whole.ofRelu, whole.ofMap].filter((terms) => terms?.gram).length;
    const summands = 9 * channelsIn + channels * matrices;
    const flop = 2 * height * width * channels * summands;
    return byRows(mapSource(whole), mapBindings(whole), mapGrid(whole, size), flop);
  };
  if (!convolution || (form === 'taps' && !halves)) return byTile({ ...kernel, tile });

  // Products with matrices go on where the convolution has ended: they are no part of Winograd's, and of 32 bits.
  const isContinued = (ofRelu?.gram || ofMap?.gram) === true;
  const winograd: WinogradKernel = {
    ...convolution,
    channels,
    reluAdded: !isContinued && ofRelu?.added === true,
    mask: !isContinued && mask === true,
    mapAdded: !isContinued && ofMap?.added === true,
    pool: isContinued ? undefined : pool,
    halves,
  };
  const { convolution: _, ...rest } = kernel;
  const continued = isContinued ? byTile({ ...rest, tile, continued: true }) : [];
  const values = height * width * (winograd.channelsIn / 4);
  const ranged = { ...pieces, range, shape: new Shape(values) };
  const before = halves ? drafts(`${label}, range`, rangeSource(), rangeBindings, ranged, rangeGrid) : [];
  if (form === 'taps') {
    const alone = isContinued ? { channels, convolution } : kernel;
    return [...before, ...byTile({ ...alone, tile, halves }), ...continued];
  }
  if (form === 'windows2') {
    const flop = 2 * 16 * Math.ceil(height / 2) * Math.ceil(width / 2) * winograd.channelsIn * channels;
    const fused = byRows(fusedSource(winograd), fusedBindings(winograd), fusedGrid(channels, size), flop);
    return [...before, ...fused, ...continued];
  }

  const [across, down] = [windowsAlong(width), windowsAlong(height)];
  const bytesOfRow = (ofChannels: number, bytes = 4) => bytes * planes * across * ofChannels;
  const operands = bytesOfRow(winograd.channelsIn, halves ? 2 : 4);
  const perRow = operands + bytesOfRow(channels);
  const flopOf = (count: number) => 2 * planes * across * count * winograd.channelsIn * channels;
  const short = unitsEach({ flop: flopOf(down), units: down }, commandFlop);
  const rows = Math.max(1, Math.min(short, Math.floor(convolutions.planeBytes / perRow)));
  const own = {
    ...pieces,
    filters,
    range,
    planes: new Piece(`${label} planes`, rows * operands),
    products: new Piece(`${label} products`, rows * bytesOfRow(channels)),
  };
  const toPlanes = toPlanesSource(winograd.channelsIn, winograd.relu, halves);
  const products = planeProductsSource(winograd.channelsIn, channels, tile, halves);
  const fromPlanes = fromPlanesSource(winograd);
  const chunks = Array.from({ length: Math.ceil(down / rows) }, (_, i) => {
    const count = Math.min(rows, down - i * rows);
    const its = { ...own, shape: new Shape(height, width, i * rows, count) };
    const scaled = { ...own, shape: new Shape(height, width, exponent, count) };
    const toGrid = transformGrid(winograd.channelsIn, size, count);
    const fromGrid = transformGrid(channels, size, count);
    const grid = planeProductsGrid(channels, size, count, tile);
    const work = { flop: flopOf(count), units: 1, part: () => ({ grid }) };
    // Bytes are counted of all of a map, of which a chunk reads some rows.
    return [
      ...drafts(`${label}, to planes`, toPlanes, toPlanesBindings(halves), its, toGrid),
      ...drafts(`${label}, planes`, products, planeProductsBindings(halves), scaled, work),
      ...drafts(label, fromPlanes, fromPlanesBindings(winograd), its, fromGrid),
    ];
  });
  return [...before, ...chunks.flat(), ...continued];
}
