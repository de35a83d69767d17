import { multiplyAddOf } from './simd';

/**
 * C[4][8] = A[4][k] * B[k][8], or with `onto` C += A * B; of doubles, four columns. Rows of A are `rowA` bytes apart
 * and values along k `stepA`; rows of C are `rowC` apart. C is added after the sum over k: sums of sums round less than
 * one long sum. Eight accumulators and no unrolling: with more, V8 spills registers and halves the speed, which
 * bench/micro-kernel.ts watches.
 */
// @ts-ignore: decorator
@inline export function gemm4x8<T>(
  a: usize, rowA: usize, stepA: usize, b: usize, k: usize, c: usize, rowC: usize, onto: bool,
): void {
  let c00 = v128.splat<T>(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  let a1 = a + rowA, a2 = a1 + rowA, a3 = a2 + rowA;
  const end = b + (k << 5);
  while (b != end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const x0 = v128.load_splat<T>(a);
    c00 = multiplyAddOf<T>(x0, b0, c00); c01 = multiplyAddOf<T>(x0, b1, c01);
    const x1 = v128.load_splat<T>(a1);
    c10 = multiplyAddOf<T>(x1, b0, c10); c11 = multiplyAddOf<T>(x1, b1, c11);
    const x2 = v128.load_splat<T>(a2);
    c20 = multiplyAddOf<T>(x2, b0, c20); c21 = multiplyAddOf<T>(x2, b1, c21);
    const x3 = v128.load_splat<T>(a3);
    c30 = multiplyAddOf<T>(x3, b0, c30); c31 = multiplyAddOf<T>(x3, b1, c31);
    a += stepA; a1 += stepA; a2 += stepA; a3 += stepA; b += 32;
  }
  put<T>(c, c00, c01, onto); c += rowC;
  put<T>(c, c10, c11, onto); c += rowC;
  put<T>(c, c20, c21, onto); c += rowC;
  put<T>(c, c30, c31, onto);
}

// @ts-ignore: decorator
@inline function put<T>(at: usize, low: v128, high: v128, onto: bool): void {
  v128.store(at, onto ? v128.add<T>(v128.load(at), low) : low);
  v128.store(at, onto ? v128.add<T>(v128.load(at, 16), high) : high, 16);
}

/** C = A * B, or with `onto` C += A * B, for `rows` (a multiple of 4) rows of A, B in panels [n/8][k][8]. */
// @ts-ignore: decorator
@inline export function matrixProduct(
  a: usize, rowA: usize, b: usize, c: usize, rowC: usize, rows: usize, k: usize, n: usize, onto: bool = false,
): void {
  for (let j: usize = 0; j < n; j += 8) {
    for (let i: usize = 0; i < rows; i += 4) gemm4x8<f32>(a + i * rowA, rowA, 4, b + ((j * k) << 2), k, c + i * rowC + (j << 2), rowC, onto);
  }
}

/**
 * C = A * B with A in panels [rows/4][k][4], so that both sides are read in the order of memory, and B in panels
 * [n/8][k][8].
 */
// @ts-ignore: decorator
@inline export function panelProduct(a: usize, b: usize, c: usize, rowC: usize, rows: usize, k: usize, n: usize): void {
  for (let j: usize = 0; j < n; j += 8) {
    for (let i: usize = 0; i < rows; i += 4) gemm4x8<f32>(a + ((i * k) << 2), 4, 16, b + ((j * k) << 2), k, c + i * rowC + (j << 2), rowC, false);
  }
}

/** G[n][n] += Y^T Y, the blocks on and above the diagonal; Y in panels [n/8][pixels][8]. */
export function accumulateGram(y: usize, pixels: usize, n: usize, g: usize): void {
  const row = n << 2;
  for (let j: usize = 0; j < n; j += 8) {
    const b = y + ((j * pixels) << 2);
    for (let i: usize = 0; i < j + 8; i += 4) {
      gemm4x8<f32>(y + (((i >> 3) * pixels) << 5) + ((i & 7) << 2), 4, 32, b, pixels, g + i * row + (j << 2), row, true);
    }
  }
}
