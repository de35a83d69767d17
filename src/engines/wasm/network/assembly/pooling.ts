import { atLeast, wherePositive } from '../../runtime/assembly/simd';

/** Arguments of the gradient of 2x2 pooling with stride 2. A last odd row or column is in no window. */
@unmanaged
class PoolingArgs {
  /** The convolution's output, before the ReLU and the pooling, [h][w][n]. */
  features: usize;
  /** The gradient of the pooled map, [h / 2][w / 2][n]. */
  pooled: usize;
  /** The gradient of `features`, [h][w][n]. */
  gradient: usize;
  height: usize; width: usize; channels: usize;
  /** Not 0: the mean, else the maximum. */
  average: usize;
}

/** `count` consecutive pixels of a row of pool(relu(features)). */
export function poolRow(from: usize, row: usize, pixel: usize, count: usize, to: usize, average: usize): void {
  const zero = f32x4.splat(0);
  for (let x: usize = 0; x < count; x++, from += pixel << 1, to += pixel) {
    for (let c: usize = 0; c < pixel; c += 16) {
      const p00 = atLeast(zero, v128.load(from + c)), p01 = atLeast(zero, v128.load(from + c + pixel));
      const p10 = atLeast(zero, v128.load(from + c + row)), p11 = atLeast(zero, v128.load(from + c + row + pixel));
      const pooled = average
        ? f32x4.mul(f32x4.splat(0.25), f32x4.add(f32x4.add(p00, p01), f32x4.add(p10, p11)))
        : f32x4.pmax(f32x4.pmax(p00, p01), f32x4.pmax(p10, p11));
      v128.store(to + c, pooled);
    }
  }
}

/**
 * Two rows of the gradient of `features`, through pooling and ReLU. A maximum's gradient goes to the first of equal
 * maxima; features that are not positive get none.
 */
export function poolBackward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<PoolingArgs>(args);
  const pixel = s.channels << 2, row = s.width * pixel, columns = s.width >> 1;
  const rows = s.height >> 1;
  const from = s.features + ((item * row) << 1), to = s.gradient + ((item * row) << 1);
  if (s.width & 1) {
    memory.fill(to + row - pixel, 0, pixel);
    memory.fill(to + (row << 1) - pixel, 0, pixel);
  }
  if (item == rows - 1 && s.height & 1) memory.fill(to + (row << 1), 0, row);
  for (let x: usize = 0; x < columns; x++) {
    const at = (x * pixel) << 1, dy = s.pooled + (item * columns + x) * pixel;
    for (let c: usize = 0; c < pixel; c += 16) {
      const i00 = at + c, i01 = i00 + pixel, i10 = i00 + row, i11 = i10 + pixel;
      const p00 = v128.load(from + i00), p01 = v128.load(from + i01), p10 = v128.load(from + i10), p11 = v128.load(from + i11);
      let g = v128.load(dy + c);
      let g00 = g, g01 = g, g10 = g, g11 = g;
      if (s.average) {
        g00 = g01 = g10 = g11 = f32x4.mul(f32x4.splat(0.25), g);
      } else {
        const largest = f32x4.pmax(f32x4.pmax(p00, p01), f32x4.pmax(p10, p11));
        const is00 = f32x4.eq(p00, largest);
        const is01 = v128.andnot(f32x4.eq(p01, largest), is00);
        const before10 = v128.or(is00, is01);
        const is10 = v128.andnot(f32x4.eq(p10, largest), before10);
        g00 = v128.and(g, is00);
        g01 = v128.and(g, is01);
        g10 = v128.and(g, is10);
        g11 = v128.andnot(g, v128.or(before10, is10));
      }
      v128.store(to + i00, wherePositive(g00, p00));
      v128.store(to + i01, wherePositive(g01, p01));
      v128.store(to + i10, wherePositive(g10, p10));
      v128.store(to + i11, wherePositive(g11, p11));
    }
  }
}
