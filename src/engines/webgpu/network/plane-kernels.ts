import type { Size } from '../../shared/fitting-size';
import type { Grid } from '../device/gpu';
import {
  blocksAcross,
  blocksDown,
  declare,
  each,
  eachOfBlock,
  invocationsOf,
  product,
  productMemory,
  sums,
  type Tile,
} from '../device/product';
import { scales } from './halves';
import { depthFor } from './map-kernel';
import {
  finish,
  finishBindings,
  gainOf,
  readWindow,
  transform,
  type WinogradKernel,
  winogradMatrices,
} from './winograd';

/*
 * Winograd's F(4x4) in three kernels: 4 times fewer products than nine taps, but planes pass through memory. The map
 * is divided into windows of 4x4 results; those of some rows of windows are a chunk, so that planes take a bounded
 * amount of memory. `shape` of all three is [height, width, first row of windows, rows of windows].
 */

/** Results along a side of a window, and values of a plane's window. */
const [m, size] = [4, 6] as const;
/** Planes: products of a window and a pair of channels. */
export const planes = size * size;

/** Windows along an extent. */
export const windowsAlong = (extent: number): number => Math.ceil(extent / m);

/** Invocations of the transforms: one is a channel of a window, so that neighbours read neighbouring values. */
const channelsAtATime = 64;

/** Workgroups of the kernels to and from planes. */
export const transformGrid = (channels: number, [, width]: Size, rows: number): Grid => [
  Math.ceil(channels / channelsAtATime),
  windowsAlong(width),
  rows,
];

/** Declares sizes, the channel and the first position of a window, and ends invocations without a channel. */
const windowOf = (channels: number) => `
  let height = shape.x; let width = shape.y; let across = (width + ${m - 1}u) / ${m}u;
  let channel = group.x * ${channelsAtATime}u + index;
  ${channels % channelsAtATime ? `if (channel >= ${channels}u) { return; }` : ''}
  let first = ${m}u * vec2u(group.y, group.z + shape.z);
  let plane = across * shape.w * ${channels}u;
  let at = (group.z * across + group.y) * ${channels}u + channel;`;

export const toPlanesBindings = (halves: boolean): readonly string[] => [
  'input',
  'planes',
  ...(halves ? ['range'] : []),
  'shape',
];

/** The transformed input, [planes][windows][channels]; scaled in 16 bits. */
export function toPlanesSource(channels: number, relu: boolean, halves = false): string {
  const operand = (value: string) => (halves ? `f16(scale * ${value})` : value);
  const types = { input: 'f32', planes: halves ? 'f16' : 'f32' };
  return `
${halves ? 'enable f16;' : ''}
${declare(toPlanesBindings(halves), ['planes'], types)}
@compute @workgroup_size(${channelsAtATime})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${windowOf(channels)}
  ${halves ? `let exponent_ = 0; ${scales(gainOf(m))}` : ''}
  {
    let y = i32(first.y) - 1; let x = i32(first.x) - 1;
    ${readWindow(size, channels, 'channel', relu, 'f32')}
    ${transform(winogradMatrices(m).bt, (p, q) => `d_${p}_${q}`, 'r')}
    ${each(size, (p) => each(size, (q) => `planes[at + ${size * p + q}u * plane] = ${operand(`r_${p}_${q}`)};`))}
  }
}`;
}

/** In 16 bits the third of `shape` is the exponent of the filters. */
export const planeProductsBindings = (halves: boolean): readonly string[] => [
  'planes',
  'filters',
  ...(halves ? ['range'] : []),
  'products',
  'shape',
];

/** Workgroups of the products. */
export const planeProductsGrid = (channels: number, [, width]: Size, rows: number, tile: Tile): Grid => [
  Math.ceil((windowsAlong(width) * rows) / tile.rows),
  Math.ceil(channels / tile.columns),
  planes,
];

/** The planes times filters [planes][channelsIn][channels]: [planes][windows][channels]. */
export function planeProductsSource(
  channelsIn: number,
  channels: number,
  shape: Tile,
  halves = false,
): string {
  const tile = { ...shape, depth: depthFor(channelsIn) };
  const [in4, out4] = [channelsIn / 4, channels / 4];
  const within = (column: string, body: string) =>
    channels % tile.columns ? `if (${column} < ${out4}u) { ${body} }` : body;
  const column = (j: number) => `n0 + x + ${j * blocksAcross(tile)}u`;
  return `
${halves ? 'enable f16;' : ''}
${declare(planeProductsBindings(halves), ['products'], halves ? { planes: 'vec4h', filters: 'vec4h' } : {})}
${productMemory(tile, tile.depth, halves ? 'vec4h' : 'vec4f')}
@compute @workgroup_size(${invocationsOf(tile)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let windows = ((shape.y + ${m - 1}u) / ${m}u) * shape.w;
  let x = index % ${blocksAcross(tile)}u; let y = index / ${blocksAcross(tile)}u;
  let m0 = group.x * ${tile.rows}u; let n0 = group.y * ${tile.columns / 4}u;
  ${halves ? `let exponent_ = bitcast<i32>(shape.z); ${scales(gainOf(m))}` : ''}
  ${sums(tile)}
  ${product(tile, {
    halves: halves ? 'both' : undefined,
    steps: `${channelsIn / tile.depth}u`,
    left: `if (m0 + row < windows) {
      value = planes[(group.z * windows + m0 + row) * ${in4}u + step * ${tile.depth / 4}u + k4]; }`,
    right: within(
      'n0 + column4',
      `value = filters[(group.z * ${channelsIn}u + step * ${tile.depth}u + k) * ${out4}u + n0 + column4];`,
    ),
  })}
  ${eachOfBlock(
    tile,
    (i, j) => `{ let window = m0 + y + ${i * blocksDown(tile)}u;
    if (window < windows) {
      ${within(column(j), `products[(group.z * windows + window) * ${out4}u + ${column(j)}] = c_${i}_${j}${halves ? ' * unscale' : ''};`)}
    } }`,
  )}
}`;
}

export const fromPlanesBindings = (kernel: WinogradKernel): readonly string[] => [
  'products',
  ...finishBindings(kernel),
  'shape',
];

/** The results of the windows. */
export function fromPlanesSource(kernel: WinogradKernel): string {
  const { channels } = kernel;
  const names = fromPlanesBindings(kernel);
  const types = Object.fromEntries(names.map((name) => [name, 'f32']));
  return `
${declare(names, ['output', 'pool'], types)}
@compute @workgroup_size(${channelsAtATime})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${windowOf(channels)}
  ${each(size, (p) => each(size, (q) => `let d_${p}_${q} = products[at + ${size * p + q}u * plane];`))}
  ${transform(winogradMatrices(m).at, (p, q) => `d_${p}_${q}`, 'o')}
  let y = first.y; let x = first.x;
  ${finish(m, kernel, channels, 'f32')}
}`;
}
