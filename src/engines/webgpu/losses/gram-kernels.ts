import type { GramDistance } from '../../../losses/distance';
import type { Grid } from '../device/gpu';
import { bitsOf, Shape } from '../device/pieces';
import {
  blocksAcross,
  blocksDown,
  declare,
  each,
  eachOfBlock,
  invocationsOf,
  productMemory,
  productOfColumns,
  sums,
  type Tile,
  totalOf,
} from '../device/product';
import type { Work } from '../device/work';

/** A Gram matrix of a feature map [positions][channels]. */
export interface GramShape {
  readonly positions: number;
  readonly channels: number;
  /** Of the features after their ReLU. */
  readonly relu: boolean;
  /** Whether each position counts by a weight. */
  readonly weighted?: boolean;
  /** Whether a vector is subtracted from the features at each position. */
  readonly shifted?: boolean;
  readonly tile: Tile;
  /** The positions are divided into shares, each of which gives a partial matrix: maps are tall and thin. */
  readonly shares: number;
}

/** The shape of a Gram matrix with shares for the workgroups of a large GPU, none shorter than sixteen steps. */
export function gramShape(
  positions: number,
  channels: number,
  how: Pick<GramShape, 'relu' | 'weighted' | 'shifted'>,
  workgroups = 1024,
): GramShape {
  const side = [64, 32, 16, 8, 4].find((size) => channels % size === 0) ?? 4;
  const block = side === 64 ? 8 : 4;
  const tile = { rows: side, columns: side, depth: 16, blockRows: block, blockColumns: block };
  const most = Math.floor(positions / (16 * tile.depth));
  const wanted = Math.max(1, Math.min(most, Math.ceil(workgroups / tilesOf(channels, tile))));
  const perShare = shareOf(positions, wanted, tile);
  return { positions, channels, ...how, tile, shares: Math.ceil(positions / perShare) };
}

/** Positions of a share. */
const shareOf = (positions: number, shares: number, { depth }: Tile): number =>
  Math.ceil(positions / shares / depth) * depth;

/** Number of tiles on and above the diagonal: the rest is the transpose. */
function tilesOf(channels: number, { rows }: Tile): number {
  const across = channels / rows;
  return (across * (across + 1)) / 2;
}

/** The inner products, a unit for each share; `shape` is positions, those of a share, channels, and the first share. */
export function gramWork({ positions, channels, tile, shares }: GramShape): Work {
  const tiles = tilesOf(channels, tile);
  return {
    flop: 2 * positions * tiles * tile.rows * tile.columns,
    units: shares,
    part: (from, count) => ({
      grid: [tiles, count, 1],
      shape: new Shape(positions, shareOf(positions, shares, tile), channels, from),
    }),
  };
}

/** Names of the bindings: `weights` [positions], `shift` [channels]. */
export const gramBindings = ({ weighted, shifted }: GramShape): readonly string[] => [
  'map',
  ...(weighted ? ['weights'] : []),
  ...(shifted ? ['shift'] : []),
  'shares_',
  'shape',
];

/** Inner products of the channels, [shares][channels][channels]. */
export function gramSource(kernel: GramShape): string {
  const { relu, weighted, shifted, tile } = kernel;
  const load = (first: string, four: string, weigh: boolean) => `
    let p = begin + step * ${tile.depth}u + k;
    if (p < end) {
      value = map[p * channels4 + ${first} + ${four}];
      ${relu ? 'value = max(value, vec4f());' : ''}
      ${shifted ? `value -= shift[${first} + ${four}];` : ''}
      ${weigh ? 'value *= weights[p];' : ''}
    }`;
  const row = (i: number) => `4u * (m0 + y + ${(i >> 2) * blocksDown(tile)}u) + ${i & 3}u`;
  return `
${declare(gramBindings(kernel), ['shares_'], { weights: 'f32' })}
${productMemory(tile, tile.depth)}
@compute @workgroup_size(${invocationsOf(tile)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let channels = shape.z; let channels4 = channels / 4u;
  let share = shape.w + group.y;
  let begin = share * shape.y; let end = min(shape.x, begin + shape.y);
  let x = index % ${blocksAcross(tile)}u; let y = index / ${blocksAcross(tile)}u;
  // Tiles are numbered by rows, in each of which they begin on the diagonal.
  var tileRow = 0u; var tileColumn = group.x; let across = channels / ${tile.rows}u;
  while (tileColumn >= across) { tileRow++; tileColumn = tileColumn + tileRow - across; }
  let m0 = tileRow * ${tile.rows / 4}u; let n0 = tileColumn * ${tile.columns / 4}u;
  ${sums(tile)}
  ${productOfColumns(tile, {
    steps: `(end - begin + ${tile.depth - 1}u) / ${tile.depth}u`,
    left: load('m0', 'row4', weighted === true),
    right: load('n0', 'column4', false),
  })}
  ${eachOfBlock(
    tile,
    (i, j) =>
      `shares_[(share * channels + ${row(i)}) * channels4 + n0 + x + ${j * blocksAcross(tile)}u] = c_${i}_${j};`,
  )}
}`;
}

/** Invocations of the comparison's workgroups, and columns of them, in fours. */
const [threads, columns4] = [256, 16];

/** How many shares an invocation's neighbours add up at a time, a power of two: each adds four or more. */
const lanesOf = ({ shares }: GramShape): number =>
  2 ** Math.min(4, Math.max(0, Math.floor(Math.log2(shares / 4))));

export const comparisonGrid = (shape: GramShape): Grid => [
  Math.ceil(shape.channels / (4 * columns4)),
  Math.ceil((shape.channels * lanesOf(shape) * columns4) / threads),
  1,
];

/** Numbers that a comparison leaves in each of `differences` and `sizes`. */
export const comparisonSums = (shape: GramShape): number =>
  comparisonGrid(shape)[0] * comparisonGrid(shape)[1];

/** Shares, channels, {@link lanesOf}, and the factor of the sum. */
export const comparisonSizes = (shape: GramShape, scale = 1): Shape =>
  new Shape(shape.shares, shape.channels, lanesOf(shape), bitsOf(scale));

/** The sum of the shares, as `sum`, in the invocations that are `here`: four columns `n4` of row `m`. */
const addedShares = ({ tile }: Pick<GramShape, 'tile'>): string => `
  let shares = shape.x; let channels = shape.y; let channels4 = channels / 4u;
  let lanes = shape.z; let rows = ${threads / columns4}u / lanes;
  let lane = (index / ${columns4}u) % lanes;
  let m = group.y * rows + index / (${columns4}u * lanes);
  let n4 = group.x * ${columns4}u + index % ${columns4}u;
  // Only tiles on and above the diagonal were computed.
  let inside = m < channels && n4 < channels4 && (n4 * 4u) / ${tile.columns}u >= m / ${tile.rows}u;
  var sum = vec4f();
  if (inside) {
    for (var share = lane; share < shares; share += lanes) { sum += shares_[(share * channels + m) * channels4 + n4]; }
  }
  if (lanes > 1u) {
    vectors_[index] = sum;
    workgroupBarrier();
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
      if (lane < half) { vectors_[index] += vectors_[index + half * ${columns4}u]; }
      workgroupBarrier();
    }
    sum = vectors_[index];
  }
  let here = inside && lane == 0u;`;

/** Declares the sums of invocations. */
const vectors = `var<workgroup> vectors_: array<vec4f, ${threads}>;`;

export const comparisonBindings = ['shares_', 'goal', 'slopes', 'parts', 'shape'] as const;

/**
 * Adds up the shares, times a factor: the Gram matrix G. Leaves its distance's derivative by G, apart from a factor, in
 * `slopes` (G - A, or its sign), and sums for the distance in `parts`: of the differences' squares or magnitudes, and
 * behind them, of the target's squares.
 */
export function comparisonSource(kernel: Pick<GramShape, 'tile'>, distance: GramDistance): string {
  const magnitude = distance === 'l1' ? 'abs(d)' : 'd * d';
  const slope = distance === 'l1' ? 'sign(d)' : 'd';
  return `
${declare(comparisonBindings, ['slopes', 'parts'], { slopes: 'f32', parts: 'f32' })}
${vectors}
var<workgroup> parts_: array<vec2f, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${addedShares(kernel)}
  var difference = 0.0;
  var size = 0.0;
  if (here) {
    let aim = goal[m * channels4 + n4];
    let differences = sum * bitcast<f32>(shape.w) - aim;
    ${each(
      4,
      (i) => `{ let n = 4u * n4 + ${i}u;
      if (n >= m) {
        let d = differences.${'xyzw'[i]}; let a = aim.${'xyzw'[i]};
        slopes[m * channels + n] = ${slope};
        slopes[n * channels + m] = ${slope};
        let times = select(2.0, 1.0, n == m);
        difference += times * ${magnitude};
        size += times * a * a;
      } }`,
    )}
  }
  ${totalOf('vec2f(difference, size)', threads)}
  if (index == 0u) {
    let across = (channels4 + ${columns4 - 1}u) / ${columns4}u;
    let at = group.y * across + group.x;
    parts[at] = total.x;
    parts[at + across * ((channels + rows - 1u) / rows)] = total.y;
  }
}`;
}

export const totalBindings = ['shares_', 'total', 'shape'] as const;

/**
 * Adds up the shares: the products of channels, [channels][channels]; it has the comparison's workgroups and sizes.
 *
 * @param first whether `total` is set, not added to
 */
export const totalSource = (kernel: Pick<GramShape, 'tile'>, first: boolean): string => `
${declare(totalBindings, ['total'], { total: 'f32' })}
${vectors}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${addedShares(kernel)}
  if (here) {
    for (var i = 0u; i < 4u; i++) {
      let n = 4u * n4 + i;
      if (n >= m) {
        let value = ${first ? '' : 'total[m * channels + n] +'} sum[i];
        total[m * channels + n] = value;
        total[n * channels + m] = value;
      }
    }
  }
}`;

export const slopesBindings = ['slopes', 'factors', 'matrix', 'shape'] as const;

/** Numbers of the matrix, in fours, and the index of the term. */
export const slopesSizes = (channels: number, term: number): Shape => new Shape(channels ** 2 / 4, term);

/** The derivatives of a layer's Gram terms together, [channels][channels]: adds a term's factor times its slopes. */
export const slopesSource = (first: boolean): string => `
${declare(slopesBindings, ['matrix'], { factors: 'f32' })}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= shape.x) { return; }
  matrix[id.x] = ${first ? '' : 'matrix[id.x] +'} factors[shape.y] * slopes[id.x];
}`;

export const slopesGrid = (channels: number): Grid => [Math.ceil((channels * channels) / 256), 1, 1];
