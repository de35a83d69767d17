import { BLOCK, columnsFrom, FLOAT, padded, rowAt, rowBytes } from './rows';
import { sample } from './sample';

/**
 * Convolves a plane with a symmetric filter along rows and columns. Beyond the border lies the nearest pixel.
 *
 * @param to may be `from`
 * @param scratch of a plane's size
 * @param line has room for a row and 32 floats on each side
 * @param taps of the filter from its middle on, `radius` + 1, at most 33
 */
export function blur(
  from: usize, to: usize, scratch: usize, line: usize, taps: usize, radius: usize, width: usize, height: usize,
): void {
  const row = rowBytes(width), reach = (radius * FLOAT + 15) & ~15;
  const middle = v128.load32_splat(taps);
  for (let y: usize = 0; y < height; y++) {
    const at = padded(from + y * row, line, width, row, reach);
    for (let x: usize = 0; x < row; x += BLOCK) {
      const p = at + x;
      let a = f32x4.mul(middle, v128.load(p)), b = f32x4.mul(middle, v128.load(p, 16));
      let c = f32x4.mul(middle, v128.load(p, 32)), d = f32x4.mul(middle, v128.load(p, 48));
      for (let i: usize = 1; i <= radius; i++) {
        const tap = v128.load32_splat(taps + i * FLOAT), l = p - i * FLOAT, r = p + i * FLOAT;
        a = f32x4.add(a, f32x4.mul(tap, f32x4.add(v128.load(l), v128.load(r))));
        b = f32x4.add(b, f32x4.mul(tap, f32x4.add(v128.load(l, 16), v128.load(r, 16))));
        c = f32x4.add(c, f32x4.mul(tap, f32x4.add(v128.load(l, 32), v128.load(r, 32))));
        d = f32x4.add(d, f32x4.mul(tap, f32x4.add(v128.load(l, 48), v128.load(r, 48))));
      }
      storeBlock(scratch + y * row + x, a, b, c, d);
    }
  }
  for (let y: usize = 0; y < height; y++)
    for (let x: usize = 0; x < row; x += BLOCK) {
      const p = scratch + y * row + x;
      let a = f32x4.mul(middle, v128.load(p)), b = f32x4.mul(middle, v128.load(p, 16));
      let c = f32x4.mul(middle, v128.load(p, 32)), d = f32x4.mul(middle, v128.load(p, 48));
      for (let i: usize = 1; i <= radius; i++) {
        const tap = v128.load32_splat(taps + i * FLOAT);
        const l = rowAt(scratch, y - i, height, row) + x, r = rowAt(scratch, y + i, height, row) + x;
        a = f32x4.add(a, f32x4.mul(tap, f32x4.add(v128.load(l), v128.load(r))));
        b = f32x4.add(b, f32x4.mul(tap, f32x4.add(v128.load(l, 16), v128.load(r, 16))));
        c = f32x4.add(c, f32x4.mul(tap, f32x4.add(v128.load(l, 32), v128.load(r, 32))));
        d = f32x4.add(d, f32x4.mul(tap, f32x4.add(v128.load(l, 48), v128.load(r, 48))));
      }
      storeBlock(to + y * row + x, a, b, c, d);
    }
}

// @ts-ignore: decorator
@inline function storeBlock(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(at, a);
  v128.store(at, b, 16);
  v128.store(at, c, 32);
  v128.store(at, d, 48);
}

/** Every other pixel of every other row; `to` has half the size, rounded up. */
export function everyOther(from: usize, to: usize, width: usize, height: usize): void {
  const row = rowBytes(width), halfWidth = (width + 1) >> 1, halfRow = rowBytes(halfWidth);
  for (let y: usize = 0; y < (height + 1) >> 1; y++)
    for (let x: usize = 0; x < halfWidth; x++)
      f32.store(to + y * halfRow + x * FLOAT, f32.load(from + 2 * y * row + 2 * x * FLOAT));
}

/** Displacements at half the size, rounded up, as those at the whole size. */
export function doubled(to: usize, from: usize, width: usize, height: usize): void {
  const row = rowBytes(width), halfWidth = (width + 1) >> 1;
  const right = f32x4.splat(<f32>(halfWidth - 1)), bottom = f32x4.splat(<f32>(((height + 1) >> 1) - 1));
  const bytes = i32x4.splat(<i32>rowBytes(halfWidth)), half = f32x4.splat(0.5), two = f32x4.splat(2);
  for (let y: usize = 0; y < height; y++) {
    const at = f32x4.splat(<f32>0.5 * <f32>y);
    for (let x: usize = 0; x < width; x += 4) {
      const value = sample(from, f32x4.mul(half, columnsFrom(x)), at, right, bottom, bytes);
      v128.store(to + y * row + x * FLOAT, f32x4.mul(two, value));
    }
  }
}

/**
 * The values of pixels some columns to the right and rows down, at most eight, or of the nearest inside.
 *
 * @param line has room for a row and eight floats on each side
 */
export function shifted(
  from: usize, to: usize, line: usize, columns: isize, rows: isize, width: usize, height: usize,
): void {
  const row = rowBytes(width);
  for (let y: usize = 0; y < height; y++) {
    const at = padded(rowAt(from, <isize>y + rows, height, row), line, width, row, 8 * FLOAT);
    memory.copy(to + y * row, at + columns * <isize>FLOAT, row);
  }
}
