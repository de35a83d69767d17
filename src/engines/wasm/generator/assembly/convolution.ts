import { multiplyAdd, smaller } from '../../runtime/assembly/simd';
import { addMoments } from './moments';
import { fillRing, Ring, RING_BYTES, startRing, Window } from './window';

/** Arguments of `generatorConvolution` and `generatorWinograd`, the first of which are those of a {@link Window}. */
@unmanaged
export class ConvolutionArgs {
  reader: usize; rows: usize; columns: usize; stride: usize; padY: i32; padX: i32; padding: usize;
  /** Address of the first row of the whole map, of which rows `first` to `end` - 1 are computed. */
  output: usize;
  /** Panels [n/8][rows * columns * k][8], and behind them [rows * columns * k][4] for the last four of n channels. */
  weights: usize;
  /** [n], or 0 for none. */
  bias: usize;
  /** For each item, sums and sums of squares of its outputs, doubles [2][n]; 0 for none. */
  moments: usize;
  first: usize; end: usize; width: usize; channels: usize;
  /** Outputs of an item, and items beside each other. */
  bandRows: usize; bandColumns: usize; itemsX: usize;
  /** Bytes between rows, and between pixels, of the output. */
  row: usize; pixel: usize;
}

/** A band of a convolution's outputs, of any size, stride and padding, of a reader's values. */
export function generatorConvolution(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ConvolutionArgs>(args);
  const w = changetype<Window>(args);
  const y0 = s.first + item / s.itemsX * s.bandRows, x0 = item % s.itemsX * s.bandColumns;
  const rows = smaller(s.bandRows, s.end - y0), columns = smaller(s.bandColumns, s.width - x0);
  const ring = changetype<Ring>(scratch), table = scratch + RING_BYTES;
  const line = startRing(ring, w, table + ((w.rows * 4 + 63) & ~63), y0, x0, columns);
  const moments = s.moments ? s.moments + item * s.channels * 16 : 0;
  if (moments) memory.fill(moments, 0, s.channels * 16);
  for (let r: usize = 0; r < rows; r++) {
    fillRing(ring, w, r, table);
    multiplyRow(s, w, table, columns, line);
    writeRow(s, line, columns, s.output + (y0 + r) * s.row + x0 * s.pixel);
    if (moments) addMoments(line, columns, s.channels, moments);
  }
}

/** A row of products, [columns][n]. */
function multiplyRow(s: ConvolutionArgs, w: Window, table: usize, columns: usize, line: usize): void {
  const pixel = w.reader.channels << 2, step = w.stride * pixel, run = w.columns * pixel;
  const rowC = s.channels << 2, panel = w.rows * w.columns * w.reader.channels << 5;
  let weights = s.weights, to = line;
  for (let j: usize = 8; j <= s.channels; j += 8, weights += panel, to += 32) {
    for (let x: usize = 0; x < columns; x += 4) multiply4x8(table, w.rows, x * step, run, step, weights, to + x * rowC, rowC);
  }
  if (s.channels & 4) {
    for (let x: usize = 0; x < columns; x += 8) multiply8x4(table, w.rows, x * step, run, step, weights, to + x * rowC, rowC);
  }
}

/** Adds the bias to a row of products, in place, and copies it to the output. */
export function writeRow(s: ConvolutionArgs, line: usize, columns: usize, to: usize): void {
  const pixel = s.channels << 2;
  if (!s.bias && s.pixel == pixel) {
    memory.copy(to, line, columns * pixel);
    return;
  }
  const zero = f32x4.splat(0);
  for (let c: usize = 0; c < pixel; c += 16) {
    const bias = s.bias ? v128.load(s.bias + c) : zero;
    let from = line + c, dst = to + c;
    for (let x: usize = 0; x < columns; x++, from += pixel, dst += s.pixel) {
      const value = f32x4.add(v128.load(from), bias);
      v128.store(from, value);
      v128.store(dst, value);
    }
  }
}

/**
 * Four outputs by eight channels: the sum over rows of the window, each a run of consecutive values. Eight
 * accumulators, as in runtime/assembly/matrix-products.ts.
 */
// @ts-ignore: decorator
@inline export function multiply4x8(
  table: usize, rows: usize, offset: usize, run: usize, step: usize, b: usize, c: usize, rowC: usize,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (let k: usize = 0; k < rows; k++) {
    let a = load<usize>(table + (k << 2)) + offset, a1 = a + step, a2 = a1 + step, a3 = a2 + step;
    const end = a + run;
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
  }
  v128.store(c, c00); v128.store(c, c01, 16); c += rowC;
  v128.store(c, c10); v128.store(c, c11, 16); c += rowC;
  v128.store(c, c20); v128.store(c, c21, 16); c += rowC;
  v128.store(c, c30); v128.store(c, c31, 16);
}

/** Eight outputs by four channels. */
// @ts-ignore: decorator
@inline export function multiply8x4(
  table: usize, rows: usize, offset: usize, run: usize, step: usize, b: usize, c: usize, rowC: usize,
): void {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  for (let k: usize = 0; k < rows; k++) {
    let a = load<usize>(table + (k << 2)) + offset, a1 = a + step, a2 = a1 + step, a3 = a2 + step;
    const end = a + run, far = step << 2;
    while (a != end) {
      const b0 = v128.load(b);
      c0 = multiplyAdd(v128.load32_splat(a), b0, c0);
      c1 = multiplyAdd(v128.load32_splat(a1), b0, c1);
      c2 = multiplyAdd(v128.load32_splat(a2), b0, c2);
      c3 = multiplyAdd(v128.load32_splat(a3), b0, c3);
      c4 = multiplyAdd(v128.load32_splat(a + far), b0, c4);
      c5 = multiplyAdd(v128.load32_splat(a1 + far), b0, c5);
      c6 = multiplyAdd(v128.load32_splat(a2 + far), b0, c6);
      c7 = multiplyAdd(v128.load32_splat(a3 + far), b0, c7);
      a += 4; a1 += 4; a2 += 4; a3 += 4; b += 16;
    }
  }
  v128.store(c, c0); c += rowC;
  v128.store(c, c1); c += rowC;
  v128.store(c, c2); c += rowC;
  v128.store(c, c3); c += rowC;
  v128.store(c, c4); c += rowC;
  v128.store(c, c5); c += rowC;
  v128.store(c, c6); c += rowC;
  v128.store(c, c7);
}
