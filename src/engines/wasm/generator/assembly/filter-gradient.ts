import { multiplyAdd, smaller } from '../../runtime/assembly/simd';
import { fillRing, Ring, RING_BYTES, startRing, Window } from './window';

/** Arguments of `generatorFilters`, the first of which are those of a {@link Window}. */
@unmanaged
class FiltersArgs {
  reader: usize; rows: usize; columns: usize; stride: usize; padY: i32; padX: i32; padding: usize;
  /** The gradient of the outputs, [h][w][n]. */
  gradient: usize;
  /** For each item a sum [rows][run][n], which the kernel clears. */
  sums: usize;
  height: usize; width: usize; channels: usize;
  /** Values of a window's row, columns times channels, rounded up to a multiple of eight. */
  run: usize;
  /** Rows of outputs of an item. */
  share: usize;
}

/** Part of the gradient of a convolution's filters: the sum over one share of the rows of outputs. */
export function generatorFilters(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FiltersArgs>(args), w = changetype<Window>(args);
  const first = item * s.share, rows = smaller(s.share, s.height - first), n = s.channels;
  const pixel = w.reader.channels << 2, step = w.stride * pixel, run = w.columns * w.reader.channels, rowC = n << 2;
  const sums = s.sums + item * w.rows * s.run * rowC;
  memory.fill(sums, 0, w.rows * s.run * rowC);
  const ring = changetype<Ring>(scratch), table = scratch + RING_BYTES;
  const panels = startRing(ring, w, table + ((w.rows * 4 + 63) & ~63), first, 0, s.width);
  for (let r: usize = 0; r < rows; r++) {
    fillRing(ring, w, r, table);
    const from = s.gradient + (first + r) * s.width * rowC;
    // Eight or four channels lie in the order in which they are multiplied; more are copied.
    const inPlace = n <= 8;
    if (!inPlace) pack(from, s.width, n, panels);
    const b = inPlace ? from : panels;
    for (let k: usize = 0; k < w.rows; k++) {
      const a = load<usize>(table + (k << 2)), c = sums + k * s.run * rowC;
      let panel = b;
      for (let j: usize = 8; j <= n; j += 8, panel += s.width << 5) {
        for (let i: usize = 0; i < run; i += 4) addProducts4x8(a + (i << 2), step, panel, s.width, c + i * rowC + (j - 8 << 2), rowC);
      }
      if (n & 4) {
        for (let i: usize = 0; i < run; i += 8) addProducts8x4(a + (i << 2), step, panel, s.width, c + i * rowC + (n - 4 << 2), rowC);
      }
    }
  }
}

/** A row [width][n] to panels [n/8][width][8] and, for four channels that are left, [width][4]. */
function pack(from: usize, width: usize, n: usize, to: usize): void {
  const pixel = n << 2;
  for (let j: usize = 0; j < n; j += 8) {
    const wide = n - j >= 8;
    for (let x: usize = 0, at = from + (j << 2); x < width; x++, at += pixel) {
      v128.store(to, v128.load(at));
      if (wide) v128.store(to, v128.load(at, 16), 16);
      to += wide ? 32 : 16;
    }
  }
}

/** C[4][8] += the sum over pixels of four values of A times eight of B. */
// @ts-ignore: decorator
@inline function addProducts4x8(a: usize, step: usize, b: usize, pixels: usize, c: usize, rowC: usize): void {
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
    a += step; b += 32;
  }
  add(c, c00); add(c + 16, c01); c += rowC;
  add(c, c10); add(c + 16, c11); c += rowC;
  add(c, c20); add(c + 16, c21); c += rowC;
  add(c, c30); add(c + 16, c31);
}

/** C[8][4] += the sum over pixels of eight values of A times four of B. */
// @ts-ignore: decorator
@inline function addProducts8x4(a: usize, step: usize, b: usize, pixels: usize, c: usize, rowC: usize): void {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  const end = b + (pixels << 4);
  while (b != end) {
    const b0 = v128.load(b);
    c0 = multiplyAdd(v128.load32_splat(a), b0, c0);
    c1 = multiplyAdd(v128.load32_splat(a, 4), b0, c1);
    c2 = multiplyAdd(v128.load32_splat(a, 8), b0, c2);
    c3 = multiplyAdd(v128.load32_splat(a, 12), b0, c3);
    c4 = multiplyAdd(v128.load32_splat(a, 16), b0, c4);
    c5 = multiplyAdd(v128.load32_splat(a, 20), b0, c5);
    c6 = multiplyAdd(v128.load32_splat(a, 24), b0, c6);
    c7 = multiplyAdd(v128.load32_splat(a, 28), b0, c7);
    a += step; b += 16;
  }
  add(c, c0); c += rowC;
  add(c, c1); c += rowC;
  add(c, c2); c += rowC;
  add(c, c3); c += rowC;
  add(c, c4); c += rowC;
  add(c, c5); c += rowC;
  add(c, c6); c += rowC;
  add(c, c7);
}

// @ts-ignore: decorator
@inline function add(at: usize, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), value));
}

/** Arguments of `generatorTotal`. */
@unmanaged
class TotalArgs {
  /** [parts][length] */
  from: usize;
  parts: usize;
  /** A multiple of four. */
  length: usize;
  /** Values of an item, a multiple of four. */
  share: usize;
  /** [length] */
  to: usize;
}

/** The sum of parts, of one share of the values. */
export function generatorTotal(args: usize, item: usize, scratch: usize): void {
  const s = changetype<TotalArgs>(args), last = smaller(s.length, (item + 1) * s.share);
  for (let i = item * s.share; i < last; i += 4) {
    let sum = f32x4.splat(0);
    for (let part: usize = 0, at = s.from + (i << 2); part < s.parts; part++, at += s.length << 2) sum = f32x4.add(sum, v128.load(at));
    v128.store(s.to + (i << 2), sum);
  }
}
