import type { Grid } from '../device/gpu';
import {
  blocksAcross,
  blocksDown,
  declare,
  eachOfBlock,
  invocationsOf,
  product,
  productMemory,
  productOfColumns,
  sums,
  type Tile,
  totalOf,
} from '../device/product';
import type { Work } from '../device/work';

/** A product of matrices [n][n], n a multiple of 4. */
export interface MatrixProduct {
  readonly n: number;
  /** Whether the left one is transposed. */
  readonly transposed?: boolean;
  /** Whether the result is a polynomial's value: of `step` the first number times I, the second times `addend`, and the
   * third times the product. */
  readonly polynomial?: boolean;
}

/** Small tiles: matrices are small, and their products follow one another. */
function tileOf(n: number): Tile {
  const side = [32, 16, 8, 4].find((size) => n % size === 0) ?? 4;
  return { rows: side, columns: side, depth: Math.min(side, 16), blockRows: 4, blockColumns: 4 };
}

export const matrixProductBindings = ({ polynomial }: MatrixProduct): readonly string[] => [
  'left',
  'right',
  ...(polynomial ? ['addend', 'step_'] : []),
  'output',
];

/** The product, as one unit: matrices have as many rows as a layer has channels, whatever the image's size. */
export function matrixProductWork({ n }: MatrixProduct): Work {
  const { rows } = tileOf(n);
  return { flop: 2 * n ** 3, units: 1, part: () => ({ grid: [n / rows, n / rows, 1] }) };
}

/** The kernel as WGSL. */
export function matrixProductSource(kernel: MatrixProduct): string {
  const { n, transposed, polynomial } = kernel;
  const tile = tileOf(n);
  const n4 = n / 4;
  const [xs, ys] = [blocksAcross(tile), blocksDown(tile)];
  const steps = `${n / tile.depth}u`;
  const right = `value = right[(step * ${tile.depth}u + k) * ${n4}u + n0 + column4];`;
  const row = (i: number) => (transposed ? `4u * (y + ${(i >> 2) * ys}u) + ${i & 3}u` : `y + ${i * ys}u`);
  const multiplied = transposed
    ? productOfColumns(tile, {
        steps,
        left: `value = left[(step * ${tile.depth}u + k) * ${n4}u + m0 / 4u + row4];`,
        right,
      })
    : product(tile, {
        steps,
        left: `value = left[(m0 + row) * ${n4}u + step * ${tile.depth / 4}u + k4];`,
        right,
      });
  const result = (i: number, j: number) =>
    polynomial
      ? `step_[0].x * identity(m, n4) + step_[0].y * addend[at] + step_[0].z * c_${i}_${j}`
      : `c_${i}_${j}`;
  return `
${declare(matrixProductBindings(kernel), ['output'])}
${productMemory(tile, tile.depth)}
fn identity(m: u32, n4: u32) -> vec4f { return select(vec4f(), vec4f(1.0), vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u) == vec4u(m)); }
@compute @workgroup_size(${invocationsOf(tile)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let x = index % ${xs}u; let y = index / ${xs}u;
  let m0 = group.y * ${tile.rows}u; let n0 = group.x * ${tile.columns / 4}u;
  ${sums(tile)}
  ${multiplied}
  ${eachOfBlock(
    tile,
    (i, j) => `{
      let m = m0 + ${row(i)}; let n4 = n0 + x + ${j * xs}u;
      let at = m * ${n4}u + n4;
      output[at] = ${result(i, j)};
    }`,
  )}
}`;
}

export const squaresBindings = ['values', 'output'] as const;

/** The sum of squares of a matrix, by one workgroup. */
export const squaresSource = (n: number): string => `
${declare(squaresBindings, ['output'], { output: 'f32' })}
var<workgroup> parts_: array<f32, 256>;
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) index: u32) {
  var sum = 0.0;
  for (var i = index; i < ${(n * n) / 4}u; i += 256u) { sum += dot(values[i], values[i]); }
  ${totalOf('sum', 256)}
  if (index == 0u) { output[0] = total; }
}`;

export const normalisedBindings = ['values', 'squares', 'output'] as const;

/** A matrix over its norm. */
export const normalisedSource = (n: number): string => `
${declare(normalisedBindings, ['output'], { squares: 'f32' })}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < ${(n * n) / 4}u) { output[id.x] = values[id.x] / sqrt(squares[0]); }
}`;

/** Workgroups of kernels that treat four numbers of a matrix in each of 64 invocations. */
export const matrixGrid = (n: number): Grid => [Math.ceil((n * n) / 256), 1, 1];

/** The `shape` of its kernel is the number of positions. */
export const covarianceBindings = ['products', 'means', 'constants', 'output', 'shape'] as const;

/**
 * The covariance matrix of features, with a number on the diagonal, from their products and means about a shift.
 * `constants` are the mean weight of positions and that number.
 */
export const covarianceSource = (n: number): string => `
${declare(covarianceBindings, ['output'], { means: 'f32', constants: 'f32', products: 'f32', output: 'f32' })}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var k = 0u; k < 4u; k++) {
    let at = 4u * id.x + k;
    if (at >= ${n * n}u) { return; }
    let i = at / ${n}u; let j = at % ${n}u;
    let sums = vec2f(means[i], means[j]);
    let away = vec2f(means[${n}u + i], means[${n}u + j]);
    output[at] = products[at] / f32(shape.x) - sums.x * away.y - away.x * sums.y
      + constants[0] * away.x * away.y + select(0.0, constants[1], i == j);
  }
}`;

/** The `shape` of its kernel is 2 / (n positions), times the weight of the term. */
export const transportBindings = ['slope', 'squares', 'means', 'matrix', 'line', 'shape'] as const;

/**
 * The derivative of the Wasserstein distance by the features F, F times `matrix` plus `line`: from `slope`, which is
 * S^-1/2 U S^^1/2 times the root of the norm of the covariance S, whose square is `squares`. A workgroup a row.
 */
export const transportSource = (n: number): string => `
${declare(transportBindings, ['matrix', 'line'], { slope: 'f32', squares: 'f32', means: 'f32', matrix: 'f32', line: 'f32' })}
var<workgroup> parts_: array<f32, 64>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let i = group.x; let scale = bitcast<f32>(shape.x);
  let norm = sqrt(sqrt(squares[0]));
  var sum = 0.0;
  for (var j = index; j < ${n}u; j += 64u) {
    let transport = 0.5 * (slope[i * ${n}u + j] + slope[j * ${n}u + i]) / norm;
    let entry = scale * (select(0.0, 1.0, i == j) - transport);
    matrix[i * ${n}u + j] = entry;
    sum += entry * means[${2 * n}u + j];
  }
  ${totalOf('sum', 64)}
  if (index == 0u) { line[i] = scale * means[${n}u + i] - total; }
}`;

export const distanceBindings = [
  'polar',
  'product',
  'covariance',
  'squares',
  'means',
  'trace',
  'parts',
] as const;

/** What each channel adds to n times the Wasserstein distance; the first one adds the target's trace. */
export const distanceSource = (n: number): string => `
${declare(distanceBindings, ['parts'], { covariance: 'f32', squares: 'f32', means: 'f32', trace: 'f32', parts: 'f32' })}
var<workgroup> parts_: array<f32, 64>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let i = group.x;
  var sum = 0.0;
  for (var j = index; j < ${n / 4}u; j += 64u) { sum += dot(polar[i * ${n / 4}u + j], product[i * ${n / 4}u + j]); }
  ${totalOf('sum', 64)}
  if (index == 0u) {
    let away = means[${n}u + i];
    parts[i] = away * away + covariance[i * ${n + 1}u] - 2.0 * sqrt(sqrt(squares[0])) * total
      + select(0.0, trace[0], i == 0u);
  }
}`;
