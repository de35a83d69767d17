import { gemm4x8 } from '../../runtime/assembly/matrix-products';
import { multiplyAdd, multiplyAddOf, smaller } from '../../runtime/assembly/simd';

/** Arguments of inverses of positive definite matrices; n is a multiple of eight. */
@unmanaged
class InverseArgs {
  /** [n][n] and [n][n]; entries on and below the diagonal of blocks of eight are read. */
  first: usize; second: usize;
  n: usize;
  /** A float for each item. */
  shifts: usize;
  /** For each item [n][n + PAD], of which entries on and below the diagonal are written. */
  inverses: usize;
  /** Items before this one are computed in double precision. */
  doubles: usize;
}

/** Numbers behind each row: at distances of a power of two rows would compete for the same sets of the cache. */
const PAD: usize = 16;

/** Columns that are eliminated together. */
const BLOCK: usize = 32;

/** The inverse of first + shift second. */
export function invertPositive(args: usize, item: usize, scratch: usize): void {
  const s = changetype<InverseArgs>(args);
  const n = s.n, row = (n + PAD) << 2, shift = load<f32>(s.shifts + (item << 2)), to = s.inverses + item * n * row;
  if (item >= s.doubles) {
    for (let i: usize = 0; i < n; i++)
      for (let j: usize = 0; j < ((i | 7) + 1) << 2; j += 16)
        v128.store(to + i * row + j, f32x4.neg(sumAt(s, shift, ((i * n) << 2) + j)));
    sweep<f32>(to, n, scratch);
    return;
  }
  const matrix = scratch + ((n + BLOCK) * BLOCK << 4);
  for (let i: usize = 0; i < n; i++)
    for (let j: usize = 0; j <= i; j += 2) {
      const at = ((i * n + j) << 2), x = f64x2.promote_low_f32x4(v128.load64_zero(s.first + at));
      const y = f64x2.mul(f64x2.splat(shift), f64x2.promote_low_f32x4(v128.load64_zero(s.second + at)));
      v128.store(matrix + i * (row << 1) + (j << 3), f64x2.neg(f64x2.add(x, y)));
    }
  sweep<f64>(matrix, n, scratch);
  for (let i: usize = 0; i < n; i++)
    for (let j: usize = 0; j <= i; j += 2)
      v128.store64_lane(to + i * row + (j << 2), f32x4.demote_f64x2_zero(v128.load(matrix + i * (row << 1) + (j << 3))), 0);
}

// @ts-ignore: decorator
@inline function sumAt(s: InverseArgs, shift: f32, at: usize): v128 {
  return multiplyAdd(f32x4.splat(shift), v128.load(s.second + at), v128.load(s.first + at));
}

/**
 * Replaces N [n][n + PAD], negative definite, by -N^-1; both on and below the diagonal. Blocks of columns are swept one
 * after the other (Goodnight 1979, "A tutorial on the SWEEP operator"): with the block D on the diagonal, its columns C
 * in the other rows, and F = (-D)^-1,
 *
 *   N += C F C^T,  C = -C F,  D = F
 *
 * Nearly all of it are products of the micro-kernel, on one half of the matrix.
 */
function sweep<T>(matrix: usize, n: usize, scratch: usize): void {
  const row = (n + PAD) * sizeof<T>(), most = n * BLOCK * sizeof<T>();
  const panels = scratch, products = panels + most, inverse = products + most;
  const inversePanels = inverse + BLOCK * BLOCK * sizeof<T>();
  for (let first: usize = 0; first < n; first += BLOCK) {
    const columns = smaller(BLOCK, n - first), bytes = columns * sizeof<T>();
    takeBlock<T>(matrix, row, n, first, columns, panels, inverse);
    invertSmall<T>(inverse, columns);
    for (let j: usize = 0; j < bytes; j += 32)
      for (let i: usize = 0; i < columns; i++) memory.copy(inversePanels + j * columns + (i << 5), inverse + i * bytes + j, 32);
    // Panels are [n/8][columns][8], of doubles [n/4][columns][4].
    for (let j: usize = 0; j < bytes; j += 32)
      for (let i: usize = 0; i < n; i += 4)
        gemm4x8<T>(
          placeOf<T>(panels, columns, i), sizeof<T>(), 32, inversePanels + j * columns, columns, products + i * bytes + j,
          bytes, false,
        );
    for (let j: usize = 0; j < n; j += 32 / sizeof<T>())
      for (let i = j & ~3; i < n; i += 4)
        gemm4x8<T>(
          products + i * bytes, bytes, sizeof<T>(), placeOf<T>(panels, columns, j), columns,
          matrix + i * row + j * sizeof<T>(), row, true,
        );
    putBlock<T>(matrix, row, n, first, columns, products, inverse);
  }
}

/** Row i, column 0 of a matrix of `columns` columns in panels of its rows. */
// @ts-ignore: decorator
@inline function placeOf<T>(panels: usize, columns: usize, i: usize): usize {
  const each: usize = 32 / sizeof<T>();
  return panels + (i / each * columns << 5) + i % each * sizeof<T>();
}

/**
 * Columns from `first` on in panels of their rows, 0 in the block on the diagonal, and the negative of that block as a
 * whole symmetric matrix.
 */
// @ts-ignore: decorator
@inline function takeBlock<T>(
  matrix: usize, row: usize, n: usize, first: usize, columns: usize, panels: usize, diagonal: usize,
): void {
  const last = first + columns, each: usize = 32 / sizeof<T>();
  for (let i: usize = 0; i < first; i += each)
    for (let k: usize = 0; k < columns; k++) {
      const from = matrix + (first + k) * row + i * sizeof<T>(), to = panels + ((i / each * columns + k) << 5);
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    }
  for (let i = first; i < last; i++)
    for (let k: usize = 0; k < columns; k++) {
      const j = first + k, at = i > j ? matrix + i * row + j * sizeof<T>() : matrix + j * row + i * sizeof<T>();
      store<T>(diagonal + ((i - first) * columns + k) * sizeof<T>(), -load<T>(at));
      store<T>(placeOf<T>(panels, columns, i) + (k << 5), 0);
    }
  for (let i = last; i < n; i++) {
    const from = matrix + i * row + first * sizeof<T>(), to = placeOf<T>(panels, columns, i);
    for (let k: usize = 0; k < columns; k++) store<T>(to + (k << 5), load<T>(from + k * sizeof<T>()));
  }
}

/** Columns from `first` on become the negative products, and the block on the diagonal the inverse. */
// @ts-ignore: decorator
@inline function putBlock<T>(
  matrix: usize, row: usize, n: usize, first: usize, columns: usize, products: usize, inverse: usize,
): void {
  const last = first + columns, bytes = columns * sizeof<T>();
  for (let k: usize = 0; k < columns; k++) {
    const to = matrix + (first + k) * row, from = products + k * sizeof<T>();
    for (let i: usize = 0; i < first; i++) store<T>(to + i * sizeof<T>(), -load<T>(from + i * bytes));
    memory.copy(to + first * sizeof<T>(), inverse + k * bytes, bytes);
  }
  for (let i = last; i < n; i++) {
    const to = matrix + i * row + first * sizeof<T>();
    for (let k: usize = 0; k < bytes; k += 16) v128.store(to + k, v128.neg<T>(v128.load(products + i * bytes + k)));
  }
}

/** The inverse of a positive definite matrix [n][n] in place, by Gauss and Jordan. */
// @ts-ignore: decorator
@inline function invertSmall<T>(matrix: usize, n: usize): void {
  const bytes = n * sizeof<T>();
  for (let k: usize = 0; k < n; k++) {
    const pivot = matrix + k * bytes, diagonal = pivot + k * sizeof<T>();
    const factor = v128.splat<T>(<T>1 / load<T>(diagonal));
    store<T>(diagonal, 1);
    for (let j: usize = 0; j < bytes; j += 16) v128.store(pivot + j, v128.mul<T>(v128.load(pivot + j), factor));
    for (let i: usize = 0; i < n; i++) {
      if (i == k) continue;
      const other = matrix + i * bytes, entry = other + k * sizeof<T>(), share = v128.splat<T>(-load<T>(entry));
      store<T>(entry, 0);
      for (let j: usize = 0; j < bytes; j += 16)
        v128.store(other + j, multiplyAddOf<T>(share, v128.load(pivot + j), v128.load(other + j)));
    }
  }
}

/** Arguments of a weighted sum of such inverses. */
@unmanaged
class InverseSumArgs {
  /** [count][n][n + PAD] */
  inverses: usize;
  count: usize; n: usize;
  /** A float for each. */
  weights: usize;
  /** [n][n], of which entries on and below the diagonal of blocks of eight are written. */
  sum: usize;
}

/** Eight rows of a weighted sum of inverses. */
export function sumInverses(args: usize, item: usize, scratch: usize): void {
  const s = changetype<InverseSumArgs>(args);
  const n = s.n, row = (n + PAD) << 2, end = ((item << 3) + 8) << 2;
  for (let i = item << 3; i < (item << 3) + 8; i++) {
    for (let j: usize = 0; j < end; j += 16) {
      let sum = f32x4.splat(0);
      for (let k: usize = 0; k < s.count; k++) {
        const weight = v128.load32_splat(s.weights + (k << 2));
        sum = multiplyAdd(weight, v128.load(s.inverses + (k * n + i) * row + j), sum);
      }
      v128.store(s.sum + ((i * n) << 2) + j, sum);
    }
  }
}
