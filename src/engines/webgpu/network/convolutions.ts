import type { Size } from '../../shared/fitting-size';
import type { Grid, Slice } from '../device/gpu';
import { type Binding, type Draft, Piece, Shape } from '../device/pieces';
import type { Tile } from '../device/product';
import { fusedBindings, fusedGrid, fusedSource } from './fused-kernel';
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
}

/** The form of a convolution's filters: a value for each of nine taps, or Winograd's products of 2x2 or 4x4 results. */
export type FilterForm = 'taps' | 'windows2' | 'windows4';

/** What a {@link MapKernel} of a network is bound to, by name. */
export interface MapPieces {
  readonly [name: string]: Binding | undefined;
}

/** The filters of a convolution in one of their forms. */
export type FiltersOf = (form: FilterForm) => Slice;

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
  const { tile } = convolutions;
  const draft = (
    name: string,
    code: string,
    names: readonly string[],
    of: MapPieces,
    grid: Grid,
    flop: number,
  ) => {
    const bindings = names.map((binding) => of[binding] as Binding);
    const bytes = bindings.reduce((sum, binding) => sum + bytesOf(binding), 0);
    return { label: name, code, bindings, grid, cost: { flop, bytes } };
  };
  const byTile = (whole: MapKernel, filters?: Slice) => {
    const own = { ...pieces, filters, shape: new Shape(height, width) };
    const { channelsIn = 0 } = whole.convolution ?? {};
    const summands =
      9 * channelsIn + channels * (Number(ofRelu?.gram ?? false) + Number(ofMap?.gram ?? false));
    const flop = 2 * height * width * channels * summands;
    return draft(label, mapSource(whole), mapBindings(whole), own, mapGrid(whole, size), flop);
  };
  const form = convolution && formOf(convolutions, convolution.channelsIn, channels, size);
  if (!convolution || form === 'taps')
    return [byTile({ ...kernel, tile }, convolution && filtersOf?.('taps'))];

  // Products with matrices go on where the convolution has ended.
  const isContinued = (ofRelu?.gram || ofMap?.gram) === true;
  const winograd: WinogradKernel = {
    ...convolution,
    channels,
    reluAdded: !isContinued && ofRelu?.added === true,
    mask: !isContinued && mask === true,
    mapAdded: !isContinued && ofMap?.added === true,
    pool: isContinued ? undefined : pool,
  };
  const { convolution: _, ...rest } = kernel;
  const continued = isContinued ? [byTile({ ...rest, tile, continued: true })] : [];
  const filters = filtersOf?.(form as FilterForm);
  if (form === 'windows2') {
    const own = { ...pieces, filters, shape: new Shape(height, width) };
    const names = fusedBindings(winograd);
    const flop = 2 * 16 * Math.ceil(height / 2) * Math.ceil(width / 2) * winograd.channelsIn * channels;
    return [draft(label, fusedSource(winograd), names, own, fusedGrid(channels, size), flop), ...continued];
  }

  const [across, down] = [windowsAlong(width), windowsAlong(height)];
  const bytesOfRow = (ofChannels: number) => 4 * planes * across * ofChannels;
  const perRow = bytesOfRow(winograd.channelsIn) + bytesOfRow(channels);
  const rows = Math.max(1, Math.min(down, Math.floor(convolutions.planeBytes / perRow)));
  const own = {
    ...pieces,
    filters,
    planes: new Piece(`${label} planes`, rows * bytesOfRow(winograd.channelsIn)),
    products: new Piece(`${label} products`, rows * bytesOfRow(channels)),
  };
  const toPlanes = toPlanesSource(winograd.channelsIn, winograd.relu);
  const products = planeProductsSource(winograd.channelsIn, channels, tile);
  const fromPlanes = fromPlanesSource(winograd);
  const chunks = Array.from({ length: Math.ceil(down / rows) }, (_, i) => {
    const count = Math.min(rows, down - i * rows);
    const its = { ...own, shape: new Shape(height, width, i * rows, count) };
    const toGrid = transformGrid(winograd.channelsIn, size, count);
    const fromGrid = transformGrid(channels, size, count);
    const productsGrid = planeProductsGrid(channels, size, count, tile);
    const flop = 2 * planes * across * count * winograd.channelsIn * channels;
    return [
      draft(`${label}, to planes`, toPlanes, toPlanesBindings, its, toGrid, 0),
      draft(`${label}, planes`, products, planeProductsBindings, its, productsGrid, flop),
      draft(label, fromPlanes, fromPlanesBindings(winograd), its, fromGrid, 0),
    ];
  });
  return [...chunks.flat(), ...continued];
}

/** Bytes of a binding: of all of a map, also where a chunk reads some rows of it. */
const bytesOf = (binding: Binding): number => {
  if (binding instanceof Shape) return 0;
  if (binding instanceof Piece) return binding.bytes;
  return binding.size ?? binding.buffer.size - (binding.offset ?? 0);
};
