import { type Grid, gridOf } from '../device/gpu';
import { Shape } from '../device/pieces';
import {
  blocksAcross,
  blocksDown,
  declare,
  eachOfBlock,
  invocationsOf,
  product,
  productMemory,
  sums,
  type Tile,
} from '../device/product';
import { depthFor } from '../network/map-kernel';

/**
 * The gradient of the Gram matrix of a region: at each position, w F M, with w the weight and M [channels][channels].
 */
export interface WeightedProduct {
  readonly positions: number;
  readonly channels: number;
  /** Of the features after their ReLU. */
  readonly relu: boolean;
  readonly tile: Tile;
  /** Whether `added` is set, not added to. */
  readonly first: boolean;
}

export const weightedProductBindings = ['map', 'weights', 'matrix', 'added', 'shape'] as const;

export const weightedProductGrid = ({ positions, channels, tile }: WeightedProduct): Grid =>
  gridOf(Math.ceil(positions / tile.rows), Math.ceil(channels / tile.columns));

/** Positions, and workgroups along x. */
export const weightedProductSizes = (how: WeightedProduct): Shape =>
  new Shape(how.positions, weightedProductGrid(how)[0]);

/** Additions and multiplications of the products with the matrix. */
export const weightedProductFlop = ({ positions, channels }: WeightedProduct): number =>
  2 * positions * channels ** 2;

/** The kernel as WGSL: `weights` [positions], `matrix` [channels][channels]. */
export function weightedProductSource(kernel: Omit<WeightedProduct, 'positions'>): string {
  const { channels, relu, first } = kernel;
  const tile = { ...kernel.tile, depth: depthFor(channels) };
  const channels4 = channels / 4;
  const [xs, ys] = [blocksAcross(tile), blocksDown(tile)];
  return `
${declare(weightedProductBindings, ['added'], { weights: 'f32' })}
${productMemory(tile, tile.depth)}
@compute @workgroup_size(${invocationsOf(tile)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let positions = shape.x;
  let x = index % ${xs}u; let y = index / ${xs}u;
  let p0 = (group.y * shape.y + group.x) * ${tile.rows}u;
  let n0 = group.z * ${tile.columns / 4}u;
  ${sums(tile)}
  ${product(tile, {
    steps: `${channels / tile.depth}u`,
    left: `
      let p = p0 + row;
      if (p < positions) {
        value = map[p * ${channels4}u + step * ${tile.depth / 4}u + k4];
        ${relu ? 'value = max(value, vec4f());' : ''}
      }`,
    right: `
      if (n0 + column4 < ${channels4}u) {
        value = matrix[(step * ${tile.depth}u + k) * ${channels4}u + n0 + column4];
      }`,
  })}
  ${eachOfBlock(
    tile,
    (i, j) => `{
      let p = p0 + y + ${i * ys}u; let n4 = n0 + x + ${j * xs}u;
      if (p < positions && n4 < ${channels4}u) {
        let at = p * ${channels4}u + n4;
        added[at] = ${first ? '' : 'added[at] +'} weights[p] * c_${i}_${j};
      }
    }`,
  )}
}`;
}
