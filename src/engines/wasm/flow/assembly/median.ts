import { FLOAT, rowBytes } from './rows';

/**
 * Replaces every value but those of the border by the median of the nine around it.
 *
 * @param scratch of a plane's size
 */
export function medianOfNine(values: usize, scratch: usize, width: usize, height: usize): void {
  const row = rowBytes(width);
  memory.copy(scratch, values, row * height);
  for (let y: usize = 1; y + 1 < height; y++) {
    const at = y * row, end = (width - 1) * FLOAT;
    for (let i: usize = 0; i < end; i += 16) {
      const p = scratch + at + i;
      // The median of three columns' sorted values is that of their largest minimum, median of medians and smallest
      // maximum (Paeth 1990).
      const a0 = v128.load(p - row - FLOAT), a1 = v128.load(p - FLOAT), a2 = v128.load(p + row - FLOAT);
      const b0 = v128.load(p - row), b1 = v128.load(p), b2 = v128.load(p + row);
      const c0 = v128.load(p - row + FLOAT), c1 = v128.load(p + FLOAT), c2 = v128.load(p + row + FLOAT);
      const low = f32x4.max(f32x4.max(least(a0, a1, a2), least(b0, b1, b2)), least(c0, c1, c2));
      const high = f32x4.min(f32x4.min(most(a0, a1, a2), most(b0, b1, b2)), most(c0, c1, c2));
      const middle = median(median(a0, a1, a2), median(b0, b1, b2), median(c0, c1, c2));
      v128.store(values + at + i, median(low, middle, high));
    }
    f32.store(values + at, f32.load(scratch + at));
    f32.store(values + at + end, f32.load(scratch + at + end));
  }
}

// @ts-ignore: decorator
@inline function least(a: v128, b: v128, c: v128): v128 {
  return f32x4.min(f32x4.min(a, b), c);
}

// @ts-ignore: decorator
@inline function most(a: v128, b: v128, c: v128): v128 {
  return f32x4.max(f32x4.max(a, b), c);
}

// @ts-ignore: decorator
@inline function median(a: v128, b: v128, c: v128): v128 {
  return f32x4.max(f32x4.min(a, b), f32x4.min(f32x4.max(a, b), c));
}
