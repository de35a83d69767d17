import { matrixProduct } from '../../src/engines/wasm/runtime/assembly/matrix-products';
import { multiplyAdd } from '../../src/engines/wasm/runtime/assembly/simd';

// Compiled by bench/micro-kernel.ts with the options of the kernels themselves.

/** The product that convolutions are made of: `rows` x k times k x n, again and again on the same memory. */
export function product(a: usize, b: usize, c: usize, rows: usize, k: usize, n: usize, times: usize): void {
  for (let i: usize = 0; i < times; i++) matrixProduct(a, k << 2, b, c, n << 2, rows, k, n);
}

/**
 * What the processor's vector units can do at most: eight sums, each of which takes a product at every step, all in
 * registers but one load.
 */
export function peak(a: usize, steps: usize): void {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  const y0 = v128.load(a, 4096), y1 = v128.load(a, 4112), y2 = v128.load(a, 4128), y3 = v128.load(a, 4144);
  for (let i: usize = 0; i < steps; i++) {
    const p = a + ((i & 63) << 5);
    const x0 = v128.load(p);
    c0 = multiplyAdd(x0, y0, c0); c1 = multiplyAdd(x0, y1, c1); c2 = multiplyAdd(x0, y2, c2); c3 = multiplyAdd(x0, y3, c3);
    const x1 = v128.load(p, 16);
    c4 = multiplyAdd(x1, y0, c4); c5 = multiplyAdd(x1, y1, c5); c6 = multiplyAdd(x1, y2, c6); c7 = multiplyAdd(x1, y3, c7);
  }
  v128.store(a, f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7))), 4096);
}
