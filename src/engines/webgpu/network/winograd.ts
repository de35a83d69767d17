import { each } from '../device/product';

/** Winograd's algorithm for 3x3 convolutions: m x m outputs at a time from (m + 2)^2 products a pair of channels. */
export type Outputs = 2 | 4;

/** Matrices of F(m x m, 3x3): output = at (g filter g^T * bt input bt^T) at^T, where * is value by value. */
export interface WinogradMatrices {
  /** [m][m + 2] */
  readonly at: readonly (readonly number[])[];
  /** [m + 2][3] */
  readonly g: readonly (readonly number[])[];
  /** [m + 2][m + 2] */
  readonly bt: readonly (readonly number[])[];
}

/**
 * The points of interpolation beside infinity. Those of four outputs are exact in binary and close to each other: with
 * them rounding errors are those of a direct convolution, with the usual 1, -1, 2, -2 several times as large.
 */
const points: Readonly<Record<Outputs, readonly number[]>> = {
  2: [0, 1, -1],
  4: [0, 0.75, -0.75, 1.5, -1.5],
};

/** The matrices by the construction of Toom and Cook, from {@link points}. */
export function winogradMatrices(m: Outputs): WinogradMatrices {
  const [at, size] = [points[m], m + 2];
  /** Coefficients of the product of x - p over all points but one. */
  const without = (skipped: number) => {
    let coefficients = [1];
    for (const [i, p] of at.entries())
      if (i !== skipped)
        coefficients = [...coefficients, 0].map(
          (_, k) => (coefficients[k - 1] ?? 0) - p * (coefficients[k] ?? 0),
        );
    return Array.from({ length: size }, (_, k) => coefficients[k] ?? 0);
  };
  const scale = (j: number) => at.reduce((product, p, i) => (i === j ? product : product * (at[j] - p)), 1);
  return {
    at: Array.from({ length: m }, (_, i) => [...at.map((p) => p ** i), i === m - 1 ? 1 : 0]),
    g: [...at.map((p, j) => [0, 1, 2].map((k) => p ** k / scale(j))), [0, 0, 1]],
    bt: [...at.map((_, j) => without(j)), without(-1)],
  };
}

/** Filters [9][channelsIn][channels] to [(m + 2)^2][channelsIn][channels], in double precision. */
export function winogradFilters(filters: Float32Array, m: Outputs): Float32Array {
  const { g } = winogradMatrices(m);
  const [size, plane] = [m + 2, filters.length / 9];
  const result = new Float32Array(size * size * plane);
  const rows = new Float64Array(3 * size);
  for (let i = 0; i < plane; i++) {
    for (let p = 0; p < size; p++)
      for (let x = 0; x < 3; x++)
        rows[3 * p + x] =
          g[p][0] * filters[x * plane + i] +
          g[p][1] * filters[(3 + x) * plane + i] +
          g[p][2] * filters[(6 + x) * plane + i];
    for (let p = 0; p < size; p++)
      for (let q = 0; q < size; q++)
        result[(p * size + q) * plane + i] =
          g[q][0] * rows[3 * p] + g[q][1] * rows[3 * p + 1] + g[q][2] * rows[3 * p + 2];
  }
  return result;
}

/** Statements that declare `${to}_p_q`, the values of matrix X matrix^T, where `from` has the values of X. */
export function transform(
  matrix: readonly (readonly number[])[],
  from: (y: number, x: number) => string,
  to: string,
): string {
  const [rows, columns] = [matrix.length, matrix[0].length];
  const sum = (row: readonly number[], name: (i: number) => string) =>
    row
      .flatMap((factor, i) => {
        if (factor === 0) return [];
        const magnitude = Math.abs(factor);
        return `${factor < 0 ? '-' : '+'} ${magnitude === 1 ? '' : `${magnitude} * `}${name(i)}`;
      })
      .join(' ')
      .replace(/^\+ /, '');
  return `
  ${each(columns, (x) => each(rows, (p) => `let t_${p}_${x} = ${sum(matrix[p], (y) => from(y, x))};`))}
  ${each(rows, (p) => each(rows, (q) => `let ${to}_${p}_${q} = ${sum(matrix[q], (x) => `t_${p}_${x}`)};`))}`;
}

/**
 * Statements that declare `d_p_q`, `size` x `size` values of `input` from row `y` and column `x` on, zeros beyond its
 * border. Names in scope: `height`, `width`, and, as i32, `y` and `x`. Without branches, which software compiles
 * slowly.
 *
 * @param channels of a position, in values of the type
 * @param channel an expression
 */
export function readWindow(
  size: number,
  channels: number,
  channel: string,
  relu: boolean,
  type: 'f32' | 'vec4f',
): string {
  const axis = (name: 'row' | 'column', from: string, extent: string) =>
    each(
      size,
      (i) => `let ${name}_${i} = u32(clamp(${from} + ${i}, 0, i32(${extent}) - 1));
  let is_${name}_${i} = ${from} + ${i} >= 0 && ${from} + ${i} < i32(${extent});`,
    );
  const value = (p: number, q: number) => {
    const read = `input[(row_${p} * width + column_${q}) * ${channels}u + ${channel}]`;
    return `select(${type}(), ${relu ? `max(${read}, ${type}())` : read}, is_row_${p} && is_column_${q})`;
  };
  return `
  ${axis('row', 'y', 'height')}
  ${axis('column', 'x', 'width')}
  ${each(size, (p) => each(size, (q) => `let d_${p}_${q} = ${value(p, q)};`))}`;
}

/** What a Winograd convolution does with its results, in this order. */
export interface Finish {
  readonly bias: boolean;
  /** Adds a gradient of the ReLU. */
  readonly reluAdded: boolean;
  /** Passes gradients where `map` is positive. */
  readonly mask: boolean;
  /** Adds a gradient of the map. */
  readonly mapAdded: boolean;
  /** Also writes the pooled ReLU. */
  readonly pool: 'max' | 'average' | undefined;
}

/** A convolution of `input` by transformed `filters`. */
export interface WinogradKernel extends Finish {
  readonly channelsIn: number;
  readonly channels: number;
  /** Whether the input goes through a ReLU as it is read. */
  readonly relu: boolean;
  /** Whether the products are of numbers in 16 bits: `filters` are, and `range` has the input's. */
  readonly halves?: boolean;
}

/** The factor by which values may grow from a window of the input to the operands of the products. */
export function gainOf(m: Outputs): number {
  const along = winogradMatrices(m).bt.map((row) => row.reduce((sum, factor) => sum + Math.abs(factor), 0));
  return Math.max(...along) ** 2;
}

/** Names of the bindings that {@link finish} needs. */
export const finishBindings = ({ bias, reluAdded, mask, mapAdded, pool }: Finish): readonly string[] => [
  ...(bias ? ['bias'] : []),
  ...(reluAdded ? ['reluAdded'] : []),
  ...(mask ? ['map'] : []),
  ...(mapAdded ? ['mapAdded'] : []),
  'output',
  ...(pool ? ['pool'] : []),
];

/**
 * Statements that write m x m results `o_p_q` of a channel, whose first position is `y`, `x`. Names in scope: `height`,
 * `width`, `channel`, an index among the `channels` of a position.
 *
 * @param type of the values
 */
export function finish(m: Outputs, how: Finish, channels: number, type: 'f32' | 'vec4f'): string {
  const { bias, reluAdded, mask, mapAdded, pool } = how;
  const place = (p: number, q: number) => `
    var r_${p}_${q} = o_${p}_${q}${bias ? ' + b' : ''};
    if (y + ${p}u < height && x + ${q}u < width) {
      let i = ((y + ${p}u) * width + x + ${q}u) * ${channels}u + channel;
      ${reluAdded ? `r_${p}_${q} += reluAdded[i];` : ''}
      ${mask ? `r_${p}_${q} = select(${type}(), r_${p}_${q}, map[i] > ${type}());` : ''}
      ${mapAdded ? `r_${p}_${q} += mapAdded[i];` : ''}
      output[i] = r_${p}_${q};
    }`;
  // The number of outputs is even: no window is divided between tiles. A last odd row or column is in none.
  const window = (p: number, q: number) => {
    const values = [0, 1, 2, 3].map((k) => `r_${2 * p + (k >> 1)}_${2 * q + (k & 1)}`);
    const [a, b, c, d] = values;
    const mean = `0.25 * (${values.map((value) => `max(${value}, ${type}())`).join(' + ')})`;
    return `
    if (y + ${2 * p + 1}u < height && x + ${2 * q + 1}u < width) {
      pool[((y / 2u + ${p}u) * (width / 2u) + x / 2u + ${q}u) * ${channels}u + channel] =
        ${pool === 'max' ? `max(max(max(${a}, ${b}), max(${c}, ${d})), ${type}())` : mean};
    }`;
  };
  return `
  ${bias ? 'let b = bias[channel];' : ''}
  ${each(m, (p) => each(m, (q) => place(p, q)))}
  ${pool ? each(m / 2, (p) => each(m / 2, (q) => window(p, q))) : ''}`;
}
