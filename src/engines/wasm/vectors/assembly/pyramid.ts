import { multiplyAdd, smaller } from '../../runtime/assembly/simd';

// Halving and enlargement of images [height][width][3]. Their memory has at least 16 bytes more than their pixels:
// kernels read by fours.

/** Bytes of a pixel. */
const PIXEL: usize = 12;

/** Arguments of `halve`. */
@unmanaged
class HalveArgs {
  from: usize;
  to: usize;
  /** Size of `from`; `to` has half of it, rounded up. */
  height: usize; width: usize;
  /** Rows of `to` for each item. */
  share: usize;
}

/**
 * Sums with the weights of a tent, 1/4, 3/4, 3/4, 1/4 along both axes, over some rows: the adjoint of {@link enlarge}.
 * An odd side is padded with zeros; beyond the border the image is mirrored.
 */
export function halve(args: usize, item: usize, scratch: usize): void {
  const s = changetype<HalveArgs>(args);
  const halfHeight = (s.height + 1) >> 1, halfWidth = (s.width + 1) >> 1, row = s.width * PIXEL;
  const last = smaller(halfHeight, (item + 1) * s.share);
  // A row with one pixel before it and up to two behind it.
  const line = scratch + 16;
  for (let y = item * s.share; y < last; y++) {
    const second = y << 1, first = second > 0 ? second - 1 : 0;
    const third = second + 1, fourth = smaller(second + 2, (halfHeight << 1) - 1);
    const near = f32x4.splat(0.75), far = f32x4.splat(0.25), zero = f32x4.splat(0);
    const a = s.from + first * row, b = s.from + second * row;
    const c = third < s.height ? s.from + third * row : b, cNear = third < s.height ? near : zero;
    const d = fourth < s.height ? s.from + fourth * row : b, dFar = fourth < s.height ? far : zero;
    for (let i: usize = 0; i < row; i += 16) {
      let sum = multiplyAdd(near, v128.load(b + i), f32x4.mul(far, v128.load(a + i)));
      sum = multiplyAdd(cNear, v128.load(c + i), sum);
      v128.store(line + i, multiplyAdd(dFar, v128.load(d + i), sum));
    }
    // A store of four values overwrites the first value of the next pixel: pixels are stored from left to right, the
    // one before the line last.
    if (s.width & 1) v128.store(line + row, zero);
    const whole = halfWidth * 2 * PIXEL;
    v128.store(line + whole, v128.load(line + whole - PIXEL));
    copyPixel(line, line - PIXEL);
    const to = s.to + y * halfWidth * PIXEL, end = (halfWidth - 1) * PIXEL;
    for (let x: usize = 0; x < end; x += PIXEL) v128.store(to + x, tent(line + (x << 1)));
    storePixel(to + end, tent(line + (end << 1)));
  }
}

/** The weighted sum of four consecutive pixels; `at` is the second. */
// @ts-ignore: decorator
@inline function tent(at: usize): v128 {
  const near = f32x4.splat(0.75), far = f32x4.splat(0.25);
  const inner = f32x4.add(v128.load(at), v128.load(at + PIXEL));
  const outer = f32x4.add(v128.load(at - PIXEL), v128.load(at + 2 * PIXEL));
  return multiplyAdd(near, inner, f32x4.mul(far, outer));
}

/** Arguments of `enlarge`. */
@unmanaged
class EnlargeArgs {
  /** An image, the factors of its rows, and those of its columns, three times each. */
  base: usize;
  rowFactors: usize; columnFactors: usize;
  height: usize; width: usize;
  /** The image of half the size, rounded up, that is enlarged and added; 0 for none. */
  coarse: usize;
  to: usize;
  /** Rows for each item. */
  share: usize;
}

/** base * factors + coarse, bilinearly enlarged by 2, over some rows; `to` may be `base`. */
export function enlarge(args: usize, item: usize, scratch: usize): void {
  const s = changetype<EnlargeArgs>(args);
  const halfHeight = (s.height + 1) >> 1, halfWidth = (s.width + 1) >> 1;
  const row = s.width * PIXEL, halfRow = halfWidth * PIXEL;
  const last = smaller(s.height, (item + 1) * s.share);
  const near = f32x4.splat(0.75), far = f32x4.splat(0.25), zero = f32x4.splat(0);
  // A coarse row with one pixel before it and one behind it, and the row that it is enlarged to.
  const line = scratch + 16, wide = line + halfRow + 32;
  const vectors = row & ~15;
  for (let y = item * s.share; y < last; y++) {
    if (s.coarse) {
      const own = y >> 1, other = y & 1 ? smaller(own + 1, halfHeight - 1) : own > 0 ? own - 1 : 0;
      const a = s.coarse + own * halfRow, b = s.coarse + other * halfRow;
      for (let i: usize = 0; i < halfRow; i += 16) {
        v128.store(line + i, multiplyAdd(near, v128.load(a + i), f32x4.mul(far, v128.load(b + i))));
      }
      v128.store(line + halfRow, v128.load(line + halfRow - PIXEL));
      copyPixel(line, line - PIXEL);
      for (let x: usize = 0; x < halfRow; x += PIXEL) {
        const here = f32x4.mul(near, v128.load(line + x));
        v128.store(wide + 2 * x, multiplyAdd(far, v128.load(line + x - PIXEL), here));
        v128.store(wide + 2 * x + PIXEL, multiplyAdd(far, v128.load(line + x + PIXEL), here));
      }
    } else {
      for (let i: usize = 0; i < row; i += 16) v128.store(wide + i, zero);
    }
    const base = s.base + y * row, to = s.to + y * row;
    const factor = load<f32>(s.rowFactors + (y << 2)), factors = f32x4.splat(factor);
    for (let i: usize = 0; i < vectors; i += 16) {
      const scaled = f32x4.mul(v128.load(base + i), f32x4.mul(factors, v128.load(s.columnFactors + i)));
      v128.store(to + i, f32x4.add(scaled, v128.load(wide + i)));
    }
    for (let i = vectors; i < row; i += 4) {
      store<f32>(to + i, load<f32>(base + i) * (factor * load<f32>(s.columnFactors + i)) + load<f32>(wide + i));
    }
  }
}

// @ts-ignore: decorator
@inline function copyPixel(from: usize, to: usize): void {
  storePixel(to, v128.load(from));
}

// @ts-ignore: decorator
@inline function storePixel(to: usize, pixel: v128): void {
  store<f32>(to, f32x4.extract_lane(pixel, 0));
  store<f32>(to, f32x4.extract_lane(pixel, 1), 4);
  store<f32>(to, f32x4.extract_lane(pixel, 2), 8);
}
