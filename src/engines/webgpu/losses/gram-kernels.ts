import type { GramDistance } from '../../../losses/distance';
import type { Grid } from '../device/gpu';
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
  const wanted = Math.max(1, Math.min(most, Math.ceil(workgroups / tilesOf(channels, tile).length)));
  const perShare = shareOf(positions, wanted, tile);
  return { positions, channels, ...how, tile, shares: Math.ceil(positions / perShare) };
}

/** Positions of a share. */
const shareOf = (positions: number, shares: number, { depth }: Tile): number =>
  Math.ceil(positions / shares / depth) * depth;

/** Tiles on and above the diagonal: the rest is the transpose. */
function tilesOf(channels: number, { rows }: Tile): readonly (readonly [row: number, column: number])[] {
  const count = channels / rows;
  return Array.from({ length: count * count }, (_, i) => [Math.floor(i / count), i % count] as const).filter(
    ([row, column]) => row <= column,
  );
}

export const gramGrid = ({ channels, tile, shares }: GramShape): Grid => [
  tilesOf(channels, tile).length,
  shares,
  1,
];

/** Names of the bindings: `weights` [positions], `shift` [channels]. */
export const gramBindings = ({ weighted, shifted }: GramShape): readonly string[] => [
  'map',
  ...(weighted ? ['weights'] : []),
  ...(shifted ? ['shift'] : []),
  'shares_',
];

/** Inner products of the channels, [shares][channels][channels]. */
export function gramSource(shape: GramShape): string {
  const { positions, channels, relu, weighted, shifted, tile } = shape;
  const [channels4, share] = [channels / 4, shareOf(positions, shape.shares, tile)];
  const tiles = tilesOf(channels, tile);
  const load = (first: string, four: string, weigh: boolean) => `
    let p = group.y * ${share}u + step * ${tile.depth}u + k;
    if (p < ${positions}u && p < (group.y + 1u) * ${share}u) {
      value = map[p * ${channels4}u + ${first} + ${four}];
      ${relu ? 'value = max(value, vec4f());' : ''}
      ${shifted ? `value -= shift[${first} + ${four}];` : ''}
      ${weigh ? 'value *= weights[p];' : ''}
    }`;
  const starts = (name: string, pick: (tile: readonly [number, number]) => number) =>
    `const ${name} = array<u32, ${tiles.length}>(${tiles.map((one) => `${(pick(one) * tile.rows) / 4}u`).join(', ')});`;
  const row = (i: number) => `4u * (m0 + y + ${(i >> 2) * blocksDown(tile)}u) + ${i & 3}u`;
  return `
${declare(gramBindings(shape), ['shares_'], { weights: 'f32' })}
${productMemory(tile, tile.depth)}
${starts('rows_', ([r]) => r)}
${starts('columns_', ([, c]) => c)}
@compute @workgroup_size(${invocationsOf(tile)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let x = index % ${blocksAcross(tile)}u; let y = index / ${blocksAcross(tile)}u;
  let m0 = rows_[group.x]; let n0 = columns_[group.x];
  ${sums(tile)}
  ${productOfColumns(tile, {
    steps: `${share / tile.depth}u`,
    left: load('m0', 'row4', weighted === true),
    right: load('n0', 'column4', false),
  })}
  ${eachOfBlock(
    tile,
    (i, j) =>
      `shares_[(group.y * ${channels}u + ${row(i)}) * ${channels4}u + n0 + x + ${j * blocksAcross(tile)}u] = c_${i}_${j};`,
  )}
}`;
}

/** Invocations of the comparison's workgroups, and columns of them, in fours. */
const [threads, columns4] = [256, 16];

/** How many shares an invocation's neighbours add up at a time, a power of two: each adds four or more. */
const lanesOf = ({ shares }: GramShape): number =>
  2 ** Math.min(4, Math.max(0, Math.floor(Math.log2(shares / 4))));

/** Rows of the matrix in a workgroup. */
const rowsOf = (shape: GramShape): number => threads / columns4 / lanesOf(shape);

export const comparisonGrid = (shape: GramShape): Grid => [
  Math.ceil(shape.channels / (4 * columns4)),
  Math.ceil(shape.channels / rowsOf(shape)),
  1,
];

/** Numbers that a comparison leaves in each of `differences` and `sizes`. */
export const comparisonSums = (shape: GramShape): number =>
  comparisonGrid(shape)[0] * comparisonGrid(shape)[1];

/** The sum of the shares, as `sum`, in the invocations that are `here`: four columns `n4` of row `m`. */
function addedShares(shape: GramShape): string {
  const { channels, shares, tile } = shape;
  const [channels4, lanes] = [channels / 4, lanesOf(shape)];
  return `
  let lane = (index / ${columns4}u) % ${lanes}u;
  let m = group.y * ${rowsOf(shape)}u + index / ${columns4 * lanes}u;
  let n4 = group.x * ${columns4}u + index % ${columns4}u;
  // Only tiles on and above the diagonal were computed.
  let inside = m < ${channels}u && n4 < ${channels4}u && (n4 * 4u) / ${tile.columns}u >= m / ${tile.rows}u;
  var sum = vec4f();
  if (inside) {
    for (var share = lane; share < ${shares}u; share += ${lanes}u) {
      sum += shares_[(share * ${channels}u + m) * ${channels4}u + n4];
    }
  }
  ${
    lanes > 1
      ? `vectors_[index] = sum;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half /= 2u) {
    if (lane < half) { vectors_[index] += vectors_[index + half * ${columns4}u]; }
    workgroupBarrier();
  }
  sum = vectors_[index];`
      : ''
  }
  let here = inside && lane == 0u;`;
}

/** Declares the sums of invocations. */
const vectorsOf = (shape: GramShape): string =>
  lanesOf(shape) > 1 ? `var<workgroup> vectors_: array<vec4f, ${threads}>;` : '';

export const comparisonBindings = ['shares_', 'goal', 'slopes', 'parts'] as const;

/**
 * Adds up the shares, times `scale`: the Gram matrix G. Leaves its distance's derivative by G, apart from a factor, in
 * `slopes` (G - A, or its sign), and sums for the distance in `parts`: of the differences' squares or magnitudes, and
 * behind them, of the target's squares.
 */
export function comparisonSource(shape: GramShape, scale: number, distance: GramDistance): string {
  const { channels } = shape;
  const channels4 = channels / 4;
  const [across, down] = comparisonGrid(shape);
  const magnitude = distance === 'l1' ? 'abs(d)' : 'd * d';
  const slope = distance === 'l1' ? 'sign(d)' : 'd';
  return `
${declare(comparisonBindings, ['slopes', 'parts'], { slopes: 'f32', parts: 'f32' })}
${vectorsOf(shape)}
var<workgroup> parts_: array<vec2f, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${addedShares(shape)}
  var difference = 0.0;
  var size = 0.0;
  if (here) {
    let aim = goal[m * ${channels4}u + n4];
    let differences = sum * ${scale} - aim;
    ${each(
      4,
      (i) => `{ let n = 4u * n4 + ${i}u;
      if (n >= m) {
        let d = differences.${'xyzw'[i]}; let a = aim.${'xyzw'[i]};
        slopes[m * ${channels}u + n] = ${slope};
        slopes[n * ${channels}u + m] = ${slope};
        let times = select(2.0, 1.0, n == m);
        difference += times * ${magnitude};
        size += times * a * a;
      } }`,
    )}
  }
  ${totalOf('vec2f(difference, size)', threads)}
  if (index == 0u) {
    let at = group.y * ${across}u + group.x;
    parts[at] = total.x;
    parts[at + ${across * down}u] = total.y;
  }
}`;
}

export const totalBindings = ['shares_', 'total'] as const;

/**
 * Adds up the shares: the products of channels, [channels][channels]; it has the comparison's workgroups.
 *
 * @param first whether `total` is set, not added to
 */
export const totalSource = (shape: GramShape, first: boolean): string => `
${declare(totalBindings, ['total'], { total: 'f32' })}
${vectorsOf(shape)}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  ${addedShares(shape)}
  if (here) {
    for (var i = 0u; i < 4u; i++) {
      let n = 4u * n4 + i;
      if (n >= m) {
        let value = ${first ? '' : `total[m * ${shape.channels}u + n] +`} sum[i];
        total[m * ${shape.channels}u + n] = value;
        total[n * ${shape.channels}u + m] = value;
      }
    }
  }
}`;

export const slopesBindings = ['slopes', 'factors', 'matrix'] as const;

/** The derivatives of a layer's Gram terms together, [channels][channels]: adds `factor` times a term's slopes. */
export function slopesSource(channels: number, factor: number, first: boolean): string {
  return `
${declare(slopesBindings, ['matrix'], { factors: 'f32' })}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${(channels * channels) / 4}u) { return; }
  matrix[id.x] = ${first ? '' : 'matrix[id.x] +'} factors[${factor}] * slopes[id.x];
}`;
}

export const slopesGrid = (channels: number): Grid => [Math.ceil((channels * channels) / 256), 1, 1];
