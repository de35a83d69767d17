import { atLeast, multiplyAdd } from '../../runtime/assembly/simd';

// Winograd's F(4x4, 3x3) (Lavin & Gray 2016): 36 multiplications for 16 outputs that take 144 directly. The
// interpolation points are 0, +-A, +-B, infinity; in float32 these are two to six times more exact than the textbook's
// 0, +-1, +-2.
const A: f32 = 0.75, B: f32 = 1.5;
const A2 = A * A, B2 = B * B, A3 = A2 * A, B3 = B2 * B;

/** Side of a tile of input, and the number of its positions. */
export const TILE: usize = 6;
export const POSITIONS: usize = 36;

/** c * x + y with a constant c */
// @ts-ignore: decorator
@inline function scaleAdd(c: f32, x: v128, y: v128): v128 { return multiplyAdd(f32x4.splat(c), x, y); }
// @ts-ignore: decorator
@inline function scale(c: f32, x: v128): v128 { return f32x4.mul(f32x4.splat(c), x); }

/** B^T d of one row or column: six vectors `srcStride` apart, none below `floor`, to six `dstStride` apart. */
// @ts-ignore: decorator
@inline function inputTransform1d(src: usize, srcStride: usize, dst: usize, dstStride: usize, floor: v128): void {
  const d0 = atLeast(floor, v128.load(src)), d1 = atLeast(floor, v128.load(src + srcStride));
  const d2 = atLeast(floor, v128.load(src + 2 * srcStride)), d3 = atLeast(floor, v128.load(src + 3 * srcStride));
  const d4 = atLeast(floor, v128.load(src + 4 * srcStride)), d5 = atLeast(floor, v128.load(src + 5 * srcStride));
  const evenA = scaleAdd(-B2, d2, d4), oddA = scale(A, scaleAdd(-B2, d1, d3));
  const evenB = scaleAdd(-A2, d2, d4), oddB = scale(B, scaleAdd(-A2, d1, d3));
  v128.store(dst, scaleAdd(A2 * B2, d0, scaleAdd(-(A2 + B2), d2, d4)));
  v128.store(dst + dstStride, f32x4.add(evenA, oddA));
  v128.store(dst + 2 * dstStride, f32x4.sub(evenA, oddA));
  v128.store(dst + 3 * dstStride, f32x4.add(evenB, oddB));
  v128.store(dst + 4 * dstStride, f32x4.sub(evenB, oddB));
  v128.store(dst + 5 * dstStride, scaleAdd(A2 * B2, d1, scaleAdd(-(A2 + B2), d3, d5)));
}

/** A^T m of one row or column: six vectors to four. */
// @ts-ignore: decorator
@inline function outputTransform1d(src: usize, srcStride: usize, dst: usize, dstStride: usize, bias: v128): void {
  const m0 = v128.load(src), m1 = v128.load(src + srcStride), m2 = v128.load(src + 2 * srcStride);
  const m3 = v128.load(src + 3 * srcStride), m4 = v128.load(src + 4 * srcStride), m5 = v128.load(src + 5 * srcStride);
  const sumA = f32x4.add(m1, m2), diffA = f32x4.sub(m1, m2), sumB = f32x4.add(m3, m4), diffB = f32x4.sub(m3, m4);
  v128.store(dst, f32x4.add(bias, f32x4.add(m0, f32x4.add(sumA, sumB))));
  v128.store(dst + dstStride, f32x4.add(bias, scaleAdd(B, diffB, scale(A, diffA))));
  v128.store(dst + 2 * dstStride, f32x4.add(bias, scaleAdd(B2, sumB, scale(A2, sumA))));
  v128.store(dst + 3 * dstStride, f32x4.add(bias, f32x4.add(m5, scaleAdd(B3, diffB, scale(A3, diffA)))));
}

/**
 * A tile of input: the address of its first pixel, and the bytes between its rows. Four consecutive ones are a group.
 */
@unmanaged
export class Tile {
  at: usize; row: usize;
}

/** Bytes of a {@link Tile}. */
export const TILE_BYTES: usize = 8;

/**
 * Transforms four 6x6 tiles, all channels, to one panel [channels][4] in each of the 36 planes. Inputs below `floor`
 * count as `floor`.
 *
 * @param temp room for 180 vectors
 */
export function inputTransform(
  tiles: usize, channels: usize, dst: usize, planeStride: usize, temp: usize, floor: v128,
): void {
  const pixel = channels << 2, columns = temp, found = temp + POSITIONS * 16, nothing = f32x4.splat(-Infinity);
  for (let c: usize = 0; c < pixel; c += 16) {
    for (let t: usize = 0; t < 4; t++) {
      const tile = changetype<Tile>(tiles + t * TILE_BYTES);
      const src = tile.at + c, row = tile.row;
      for (let x: usize = 0; x < TILE; x++) inputTransform1d(src + x * pixel, row, columns + x * 16, TILE * 16, floor);
      for (let y: usize = 0; y < TILE; y++)
        inputTransform1d(columns + y * (TILE * 16), 16, found + y * (TILE * 64) + t * 16, 64, nothing);
    }
    let to = dst + (c << 2);
    for (let from = found, end = found + POSITIONS * 64; from < end; from += 64, to += planeStride) transpose(from, to);
  }
}

/** Transposes four channels of four tiles to four tiles of four channels. */
// @ts-ignore: decorator
@inline function transpose(from: usize, to: usize): void {
  const a = v128.load(from), b = v128.load(from, 16), c = v128.load(from, 32), d = v128.load(from, 48);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const high = i32x4.shuffle(a, b, 2, 6, 3, 7), higher = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 16);
  v128.store(to, i64x2.shuffle(high, higher, 0, 2), 32);
  v128.store(to, i64x2.shuffle(high, higher, 1, 3), 48);
}

/**
 * Transforms four channels of the 36 planes back to 4x4 pixels. Not inlined, which would make it a third slower.
 *
 * @param temp room for 24 vectors
 */
export function outputTransform(
  src: usize, planeStride: usize, dst: usize, rowStride: usize, pixelStride: usize, bias: v128, temp: usize,
): void {
  for (let x: usize = 0; x < TILE; x++) {
    outputTransform1d(src + x * planeStride, TILE * planeStride, temp + x * 16, TILE * 16, f32x4.splat(0));
  }
  for (let y: usize = 0; y < 4; y++) outputTransform1d(temp + y * (TILE * 16), 16, dst + y * rowStride, pixelStride, bias);
}

/** G f of one row or column of a filter, in double precision: three values to six. */
// @ts-ignore: decorator
@inline function filterTransform1d(f0: f64, f1: f64, f2: f64, dst: usize, stride: usize): void {
  const a = <f64>A, b = <f64>B, na = 2 * a * a * (a * a - b * b), nb = 2 * b * b * (b * b - a * a);
  store<f64>(dst, f0 / (a * a * b * b));
  store<f64>(dst + stride, (f0 + a * f1 + a * a * f2) / na);
  store<f64>(dst + 2 * stride, (f0 - a * f1 + a * a * f2) / na);
  store<f64>(dst + 3 * stride, (f0 + b * f1 + b * b * f2) / nb);
  store<f64>(dst + 4 * stride, (f0 - b * f1 + b * b * f2) / nb);
  store<f64>(dst + 5 * stride, f2);
}

/**
 * Transforms a kernel [3][3][k][n] to its 36 planes in panels [36][n/8][k][8].
 *
 * @param temp room for 54 doubles
 */
export function transformFilters(kernel: usize, k: usize, n: usize, planes: usize, temp: usize): void {
  const tap = (k * n) << 2;
  for (let x: usize = 0; x < k; x++) {
    for (let y: usize = 0; y < n; y++) {
      const f = kernel + ((x * n + y) << 2);
      for (let j: usize = 0; j < 3; j++) {
        filterTransform1d(load<f32>(f + j * tap), load<f32>(f + (3 + j) * tap), load<f32>(f + (6 + j) * tap), temp + j * 8, 24);
      }
      for (let p: usize = 0; p < TILE; p++) {
        const t = temp + p * 24;
        filterTransform1d(load<f64>(t), load<f64>(t, 8), load<f64>(t, 16), temp + 144 + p * 48, 8);
      }
      for (let p: usize = 0; p < POSITIONS; p++) {
        store<f32>(planes + ((p * k * n + (y >> 3) * k * 8 + x * 8 + (y & 7)) << 2), <f32>load<f64>(temp + 144 + p * 8));
      }
    }
  }
}
