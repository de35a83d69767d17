import { multiplyAdd } from './simd';

/**
 * C[4][8] = A[4][k] * B[k][8], or with `onto` C += A * B; rows of A and C lie `rowA` and `rowC` bytes apart. Eight accumulators and no unrolling: more of them spill in
 * V8 and halve the speed, which bench/micro-kernel.ts watches.
 */
// @ts-ignore: decorator
@inline function gemm4x8(a: usize, rowA: usize, b: usize, k: usize, c: usize, rowC: usize, onto: bool): void {
  let c00 = start(onto, c), c01 = start(onto, c + 16), c10 = start(onto, c + rowC), c11 = start(onto, c + rowC + 16);
  let c20 = start(onto, c + 2 * rowC), c21 = start(onto, c + 2 * rowC + 16), c30 = start(onto, c + 3 * rowC), c31 = start(onto, c + 3 * rowC + 16);
  let a1 = a + rowA, a2 = a1 + rowA, a3 = a2 + rowA;
  const end = a + (k << 2);
  while (a != end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const x0 = v128.load32_splat(a);
    c00 = multiplyAdd(x0, b0, c00); c01 = multiplyAdd(x0, b1, c01);
    const x1 = v128.load32_splat(a1);
    c10 = multiplyAdd(x1, b0, c10); c11 = multiplyAdd(x1, b1, c11);
    const x2 = v128.load32_splat(a2);
    c20 = multiplyAdd(x2, b0, c20); c21 = multiplyAdd(x2, b1, c21);
    const x3 = v128.load32_splat(a3);
    c30 = multiplyAdd(x3, b0, c30); c31 = multiplyAdd(x3, b1, c31);
    a += 4; a1 += 4; a2 += 4; a3 += 4; b += 32;
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += rowC;
  v128.store(c, c10); v128.store(c, c11, 16); c += rowC;
  v128.store(c, c20); v128.store(c, c21, 16); c += rowC;
  v128.store(c, c30); v128.store(c, c31, 16);
}

// @ts-ignore: decorator
@inline function start(onto: bool, at: usize): v128 {
  return onto ? v128.load(at) : f32x4.splat(0);
}

/** C = A * B, or with `onto` C += A * B, for `rows` (a multiple of 4) rows of A, B in panels [n/8][k][8]. */
// @ts-ignore: decorator
@inline export function multiply(
  a: usize, rowA: usize, b: usize, c: usize, rowC: usize, rows: usize, k: usize, n: usize, onto: bool = false,
): void {
  for (let j: usize = 0; j < n; j += 8) {
    for (let i: usize = 0; i < rows; i += 4) gemm4x8(a + i * rowA, rowA, b + ((j * k) << 2), k, c + i * rowC + (j << 2), rowC, onto);
  }
}

/** G[n][n] += Y^T Y, the blocks on and above the diagonal; Y in panels [n/8][pixels][8]. */
export function accumulateGram(y: usize, pixels: usize, n: usize, g: usize): void {
  for (let j: usize = 0; j < n; j += 8) {
    for (let i: usize = 0; i < j + 8; i += 4) {
      let a = y + (((i >> 3) * pixels) << 5) + ((i & 7) << 2), b = y + ((j * pixels) << 2);
      let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      const end = b + (pixels << 5);
      while (b != end) {
        const b0 = v128.load(b), b1 = v128.load(b, 16);
        const x0 = v128.load32_splat(a);
        c00 = multiplyAdd(x0, b0, c00); c01 = multiplyAdd(x0, b1, c01);
        const x1 = v128.load32_splat(a, 4);
        c10 = multiplyAdd(x1, b0, c10); c11 = multiplyAdd(x1, b1, c11);
        const x2 = v128.load32_splat(a, 8);
        c20 = multiplyAdd(x2, b0, c20); c21 = multiplyAdd(x2, b1, c21);
        const x3 = v128.load32_splat(a, 12);
        c30 = multiplyAdd(x3, b0, c30); c31 = multiplyAdd(x3, b1, c31);
        a += 32; b += 32;
      }
      let p = g + ((i * n + j) << 2);
      addTo(p, c00, c01); p += n << 2;
      addTo(p, c10, c11); p += n << 2;
      addTo(p, c20, c21); p += n << 2;
      addTo(p, c30, c31);
    }
  }
}

// @ts-ignore: decorator
@inline function addTo(p: usize, low: v128, high: v128): void {
  v128.store(p, f32x4.add(v128.load(p), low));
  v128.store(p, f32x4.add(v128.load(p, 16), high), 16);
}
