import { gridOf } from '../device/gpu';
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
import type { Work } from '../device/work';
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

/**
 * The products with the matrix, a unit for each tile's positions; `shape` is the end of the positions, workgroups along
 * x, and the first unit.
 */
export const weightedProductWork = ({ positions, channels, tile }: WeightedProduct): Work => ({
  flop: 2 * positions * channels ** 2,
  units: Math.ceil(positions / tile.rows),
  part(from, count) {
    const grid = gridOf(count, Math.ceil(channels / tile.columns));
    // Workgroups beyond the last unit have no positions.
    const end = Math.min(positions, (from + count) * tile.rows);
    return { grid, shape: new Shape(end, grid[0], from) };
  },
});

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
  let end = shape.x;
  let x = index % ${xs}u; let y = index / ${xs}u;
  let p0 = (shape.z + group.y * shape.y + group.x) * ${tile.rows}u;
  let n0 = group.z * ${tile.columns / 4}u;
  ${sums(tile)}
  ${product(tile, {
    steps: `${channels / tile.depth}u`,
    left: `
      let p = p0 + row;
      if (p < end) {
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
      if (p < end && n4 < ${channels4}u) {
        let at = p * ${channels4}u + n4;
        added[at] = ${first ? '' : 'added[at] +'} weights[p] * c_${i}_${j};
      }
    }`,
  )}
}`;
}
