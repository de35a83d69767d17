/**
 * The product that most kernels are: C [rows][columns] += A [rows][k] B [k][columns]. A workgroup computes a tile of C
 * from tiles of A and B in its memory, an invocation a block of the tile in registers. WGSL cannot index registers, so
 * sources are generated with everything unrolled that is in them.
 */
export interface Tile {
  /** Rows of C in a workgroup. */
  readonly rows: number;
  /** Columns of C in a workgroup, a multiple of 4. */
  readonly columns: number;
  /** Summands at a time, a multiple of 4. */
  readonly depth: number;
  /** Rows in an invocation, a multiple of 4. */
  readonly blockRows: number;
  /** Columns in an invocation, a multiple of 4. */
  readonly blockColumns: number;
}

/** Invocations of a workgroup. */
export const invocationsOf = ({ rows, columns, blockRows, blockColumns }: Tile): number =>
  (rows / blockRows) * (columns / blockColumns);

/** A line for each number below `count`. */
export const each = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** Blocks along the tile's rows: row i of an invocation's block is row y + i * blocksDown(tile) of the tile. */
export const blocksDown = ({ rows, blockRows }: Tile): number => rows / blockRows;

/** Blocks along the tile's columns. */
export const blocksAcross = ({ columns, blockColumns }: Tile): number => columns / blockColumns;

/** Runs `line` for each row and each four columns of an invocation's block. */
export const eachOfBlock = (tile: Tile, line: (row: number, column: number) => string): string =>
  each(tile.blockRows, (row) => each(tile.blockColumns / 4, (column) => line(row, column)));

/** Declares the sums: c_i_j are the j-th four columns of row i. */
export const sums = (tile: Tile): string => eachOfBlock(tile, (i, j) => `var c_${i}_${j} = vec4f();`);

/** Where the values of a product come from. */
export interface Operands {
  /** Number of steps of the tile's depth, an expression. */
  readonly steps: string;
  /** Statements at the beginning of each step. */
  readonly before?: string | undefined;
  /** Statements that set `value`, a vec4f, for A. */
  readonly left: string;
  /** Statements that set `value`, a vec4f, for B at `k` of the step and `column4`, the first of four columns over 4. */
  readonly right: string;
  /**
   * Whether the product is of numbers in 16 bits, with sums of 32 bits of each step's sums. `right` then sets a vec4h;
   * so does `left`, or else a vec4f that is multiplied by `scale` and rounded.
   */
  readonly halves?: 'both' | 'rounded' | undefined;
}

/**
 * Declares the tiles in a workgroup's memory.
 *
 * @param depth the largest depth of the products of the kernel
 */
export const productMemory = (
  { rows, columns }: Tile,
  depth: number,
  type: 'vec4f' | 'vec4h' = 'vec4f',
): string => `
var<workgroup> left_: array<${type}, ${rows * (depth / 4 + 1)}>;
var<workgroup> right_: array<${type}, ${(depth * columns) / 4}>;`;

/**
 * The sum over k of a product whose A has its summands in fours: `left` sets `value` for `row` of the tile and
 * `k4`, the first of four summands over 4. Rows of A are one vec4f longer in memory than they need, so that
 * invocations side by side read from different banks.
 */
export function product(tile: Tile, { steps, before = '', left, right, halves }: Operands): string {
  const [fours, columns4] = [tile.depth / 4, tile.columns / 4];
  const pitch = fours + 1;
  const leftPlace = `let row = i / ${fours}u; let k4 = i % ${fours}u;`;
  const rightPlace = `let k = i / ${columns4}u; let column4 = i % ${columns4}u;`;
  const [leftType, rightType] = [halves === 'both' ? 'vec4h' : 'vec4f', halves ? 'vec4h' : 'vec4f'] as const;
  const rounded = halves === 'rounded' ? 'vec4h(scale * value)' : 'value';
  const sum = halves ? 'h' : 'c';
  return `
for (var step = 0u; step < ${steps}; step++) {
  ${before}
  ${fill(tile, tile.rows * fours, leftPlace, left, `left_[row * ${pitch}u + k4] = ${rounded}`, leftType)}
  ${fill(tile, tile.depth * columns4, rightPlace, right, 'right_[i] = value', rightType)}
  workgroupBarrier();
  ${halves ? eachOfBlock(tile, (i, j) => `var h_${i}_${j} = vec4h();`) : ''}
  for (var k4 = 0u; k4 < ${fours}u; k4++) {
    ${each(tile.blockRows, (i) => `let a_${i} = left_[(y + ${i * blocksDown(tile)}u) * ${pitch}u + k4];`)}
    ${each(
      4,
      (k) => `{
      ${readColumns(tile, `k4 * 4u + ${k}u`)}
      ${eachOfBlock(tile, (i, j) => `${sum}_${i}_${j} += a_${i}.${'xyzw'[k]} * b_${j};`)}
    }`,
    )}
  }
  ${halves ? eachOfBlock(tile, (i, j) => `c_${i}_${j} += vec4f(h_${i}_${j});`) : ''}
  workgroupBarrier();
}`;
}

/**
 * The sum over k of a product whose A has its rows in fours: `left` sets `value` for `k` of the step and `row4`, the
 * first of four rows over 4. Row i of an invocation's block is then row 4 (y + floor(i / 4) * blocksDown) + i % 4.
 */
export function productOfColumns(tile: Tile, { steps, left, right }: Operands): string {
  const [rows4, columns4] = [tile.rows / 4, tile.columns / 4];
  return `
for (var step = 0u; step < ${steps}; step++) {
  ${fill(tile, tile.depth * rows4, `let k = i / ${rows4}u; let row4 = i % ${rows4}u;`, left, 'left_[i] = value')}
  ${fill(tile, tile.depth * columns4, `let k = i / ${columns4}u; let column4 = i % ${columns4}u;`, right, 'right_[i] = value')}
  workgroupBarrier();
  for (var k = 0u; k < ${tile.depth}u; k++) {
    ${each(tile.blockRows / 4, (i) => `let a_${i} = left_[k * ${rows4}u + y + ${i * blocksDown(tile)}u];`)}
    ${readColumns(tile, 'k')}
    ${eachOfBlock(tile, (i, j) => `c_${i}_${j} += a_${i >> 2}.${'xyzw'[i & 3]} * b_${j};`)}
  }
  workgroupBarrier();
}`;
}

const readColumns = (tile: Tile, k: string): string =>
  each(
    tile.blockColumns / 4,
    (j) => `let b_${j} = right_[(${k}) * ${tile.columns / 4}u + x + ${j * blocksAcross(tile)}u];`,
  );

/** All invocations fill `count` places of a tile: `load` sets `value`, `store` puts it there. */
function fill(
  tile: Tile,
  count: number,
  place: string,
  load: string,
  store: string,
  type: 'vec4f' | 'vec4h' = 'vec4f',
): string {
  const invocations = invocationsOf(tile);
  return each(
    Math.ceil(count / invocations),
    (round) => `{
    let i = index + ${round * invocations}u;
    ${(round + 1) * invocations > count ? `if (i < ${count}u)` : ''} {
      ${place}
      var value = ${type}();
      ${load}
      ${store};
    }
  }`,
  );
}

/**
 * Adds up a number of each of `count` invocations, a power of two, in `parts_` of a workgroup's memory, or combines
 * them by another operation; every invocation then has the total.
 */
export const totalOf = (
  value: string,
  count: number,
  into = 'total',
  of = (a: string, b: string) => `${a} + ${b}`,
): string => `
  parts_[index] = ${value};
  workgroupBarrier();
  for (var half = ${count / 2}u; half > 0u; half /= 2u) {
    if (index < half) { parts_[index] = ${of('parts_[index]', 'parts_[index + half]')}; }
    workgroupBarrier();
  }
  let ${into} = parts_[0];
  workgroupBarrier();`;

/**
 * Declares bindings of vec4f, or of another type, in their order; those in `written` can be written. `shape` is a
 * `vec4u` of sizes, or of another whole type.
 */
export const declare = (
  names: readonly string[],
  written: readonly string[],
  types: Readonly<Record<string, string>> = {},
  shape = 'vec4u',
): string =>
  names
    .map((name, i) => {
      if (name === 'shape') return `@group(0) @binding(${i}) var<uniform> shape: ${shape};`;
      const access = written.includes(name) ? 'read_write' : 'read';
      return `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${types[name] ?? 'vec4f'}>;`;
    })
    .join('\n');
