import { multiplyAdd, smaller } from '../../runtime/assembly/simd';
import { ConvolutionArgs, multiply4x8, multiply8x4, writeRow } from './convolution';
import { addMoments } from './moments';
import { readWindowRow, Ring, RING_BYTES, Window } from './window';

// A large kernel is the sum of 3x3 pieces, each of which is convolved by Winograd's F(3x3, 3x3) (Lavin & Gray 2016): 25
// multiplications for 9 outputs that take 81 directly. As pieces are three positions apart, and tiles too, all pieces
// read the same transformed tiles, and are added up before they are transformed back. The interpolation points are
// +-A, +-B, infinity (panels.ts has the filters' side).
const A: f32 = 0.5, B: f32 = 1.5;
const A2 = A * A, B2 = B * B;

/** Outputs of a tile, its inputs, and the positions of a transformed tile. */
const STEP: usize = 3, TILE: usize = 5, POSITIONS: usize = 25;

// @ts-ignore: decorator
@inline function scaleAdd(c: f32, x: v128, y: v128): v128 { return multiplyAdd(f32x4.splat(c), x, y); }
// @ts-ignore: decorator
@inline function scale(c: f32, x: v128): v128 { return f32x4.mul(f32x4.splat(c), x); }

/** Five vectors `from` bytes apart to five `to` apart. */
// @ts-ignore: decorator
@inline function inputTransform(src: usize, from: usize, dst: usize, to: usize): void {
  const d0 = v128.load(src), d1 = v128.load(src + from), d2 = v128.load(src + 2 * from);
  const d3 = v128.load(src + 3 * from), d4 = v128.load(src + 4 * from);
  const oddA = scaleAdd(-B2, d1, d3), evenA = scale(A, scaleAdd(-B2, d0, d2));
  const oddB = scaleAdd(-A2, d1, d3), evenB = scale(B, scaleAdd(-A2, d0, d2));
  v128.store(dst, f32x4.add(oddA, evenA));
  v128.store(dst + to, f32x4.sub(oddA, evenA));
  v128.store(dst + 2 * to, f32x4.add(oddB, evenB));
  v128.store(dst + 3 * to, f32x4.sub(oddB, evenB));
  v128.store(dst + 4 * to, scaleAdd(A2 * B2, d0, scaleAdd(-(A2 + B2), d2, d4)));
}

/** Five vectors `from` bytes apart to three `to` apart. */
// @ts-ignore: decorator
@inline function outputTransform(src: usize, from: usize, dst: usize, to: usize): void {
  const m0 = v128.load(src), m1 = v128.load(src + from), m2 = v128.load(src + 2 * from), m3 = v128.load(src + 3 * from);
  const sumA = f32x4.add(m0, m1), differenceA = f32x4.sub(m0, m1), sumB = f32x4.add(m2, m3), differenceB = f32x4.sub(m2, m3);
  v128.store(dst, f32x4.add(sumA, sumB));
  v128.store(dst + to, scaleAdd(A, differenceA, scale(B, differenceB)));
  v128.store(dst + 2 * to, scaleAdd(A2, sumA, scaleAdd(B2, sumB, v128.load(src + 4 * from))));
}

/**
 * A band of the outputs of a convolution with stride 1 by nested Winograd convolutions: what `generatorConvolution`
 * computes. Rows and columns of the window count pieces of three. `weights` are 25 panels of the transformed pieces.
 */
export function generatorNested(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ConvolutionArgs>(args), w = changetype<Window>(args);
  const y0 = s.first + item / s.itemsX * s.bandRows, x0 = item % s.itemsX * s.bandColumns;
  const rows = smaller(s.bandRows, s.end - y0), columns = smaller(s.bandColumns, s.width - x0);
  const k = w.reader.channels, n = s.channels, pixel = k << 2, rowC = n << 2;
  const tilesX = (columns + STEP - 1) / STEP, tiles = tilesX + w.columns - 1;
  const ring = changetype<Ring>(scratch);
  ring.y = <i32>y0 - w.padY;
  ring.x = <i32>x0 - w.padX;
  ring.columns = tiles * STEP + 2;
  // Pixels of three channels are written as vectors of four.
  const readRow = (ring.columns * pixel + 63) & ~15;
  const table = scratch + RING_BYTES, temp = table + 64, read = temp + 256;
  const columnwise = read + TILE * readRow, transformed = columnwise + TILE * readRow;
  // Groups of eight tiles read further ones.
  const plane = ((tiles + 8) * pixel + 63) & ~63, planes = POSITIONS * plane;
  const products = transformed + w.rows * planes, productPlane = (tilesX + 8) * rowC;
  const line = products + POSITIONS * productPlane, lineRow = tilesX * STEP * rowC;
  const panel = w.rows * w.columns * k * rowC, run = w.columns * pixel;
  const moments = s.moments ? s.moments + item * n * 16 : 0;
  if (moments) memory.fill(moments, 0, n * 16);
  let done: usize = 0;
  for (let y: usize = 0, ty: usize = 0; y < rows; y += STEP, ty++) {
    for (; done < ty + w.rows; done++) {
      // Two rows of the tiles above are those of these tiles too.
      if (done) memory.copy(read, read + STEP * readRow, 2 * readRow);
      for (let r: usize = done ? 2 : 0; r < TILE; r++) readWindowRow(ring, w, done * STEP + r, read + r * readRow);
      for (let i: usize = 0; i < readRow; i += 16) inputTransform(read + i, readRow, columnwise + i, readRow);
      const to = transformed + done % w.rows * planes;
      for (let i: usize = 0; i < TILE; i++) {
        for (let t: usize = 0; t < tiles; t++) {
          const src = columnwise + i * readRow + t * STEP * pixel, dst = to + i * TILE * plane + t * pixel;
          for (let c: usize = 0; c < pixel; c += 16) inputTransform(src + c, pixel, dst + c, plane);
        }
      }
    }
    for (let p: usize = 0; p < POSITIONS; p++) {
      for (let r: usize = 0; r < w.rows; r++) store<usize>(table + (r << 2), transformed + (ty + r) % w.rows * planes + p * plane);
      let weights = s.weights + p * panel, to = products + p * productPlane;
      for (let j: usize = 8; j <= n; j += 8, weights += w.rows * w.columns * k << 5, to += 32) {
        for (let t: usize = 0; t < tilesX; t += 4) multiply4x8(table, w.rows, t * pixel, run, pixel, weights, to + t * rowC, rowC);
      }
      if (n & 4) {
        for (let t: usize = 0; t < tilesX; t += 8) multiply8x4(table, w.rows, t * pixel, run, pixel, weights, to + t * rowC, rowC);
      }
    }
    for (let t: usize = 0; t < tilesX; t++) {
      for (let c: usize = 0; c < rowC; c += 16) {
        const src = products + t * rowC + c, dst = line + t * STEP * rowC + c;
        for (let i: usize = 0; i < TILE; i++)
          outputTransform(src + i * productPlane, TILE * productPlane, temp + i * 16, TILE * 16);
        for (let r: usize = 0; r < STEP; r++) outputTransform(temp + r * (TILE * 16), 16, dst + r * lineRow, rowC);
      }
    }
    for (let r: usize = 0, last = smaller(STEP, rows - y); r < last; r++) {
      const from = line + r * lineRow;
      writeRow(s, from, columns, s.output + (y0 + y + r) * s.row + x0 * s.pixel);
      if (moments) addMoments(from, columns, n, moments);
    }
  }
}
