import { columnsFrom, FLOAT, padded, rowAt, rowBytes } from './rows';
import { sample } from './sample';

/**
 * Derivatives to the right and down, by the differences [1 -8 0 8 -1] / 12, and their products. Beyond the border lies
 * the nearest pixel.
 *
 * @param line has room for a row and four floats on each side
 */
export function derivatives(
  from: usize, line: usize, dx: usize, dy: usize, xx: usize, xy: usize, yy: usize, width: usize, height: usize,
): void {
  const row = rowBytes(width);
  for (let y: usize = 0; y < height; y++) {
    const at = padded(from + y * row, line, width, row, 16);
    const up2 = rowAt(from, y - 2, height, row), up = rowAt(from, y - 1, height, row);
    const down = rowAt(from, y + 1, height, row), down2 = rowAt(from, y + 2, height, row);
    for (let i: usize = 0; i < row; i += 16) {
      const p = at + i, k = y * row + i;
      const a = slope(v128.load(p - 8), v128.load(p - 4), v128.load(p + 4), v128.load(p + 8));
      const b = slope(v128.load(up2 + i), v128.load(up + i), v128.load(down + i), v128.load(down2 + i));
      v128.store(dx + k, a);
      v128.store(dy + k, b);
      v128.store(xx + k, f32x4.mul(a, a));
      v128.store(xy + k, f32x4.mul(a, b));
      v128.store(yy + k, f32x4.mul(b, b));
    }
  }
}

// @ts-ignore: decorator
@inline function slope(before2: v128, before: v128, after: v128, after2: v128): v128 {
  const near = f32x4.mul(f32x4.splat(8), f32x4.sub(after, before));
  return f32x4.div(f32x4.add(f32x4.sub(near, after2), before2), f32x4.splat(12));
}

/**
 * The change of each pixel to where it is displaced in the other picture, times its derivatives; 0 where it has left
 * that picture.
 */
export function changes(
  from: usize, to: usize, across: usize, down: usize, dx: usize, dy: usize, xt: usize, yt: usize,
  width: usize, height: usize,
): void {
  const row = rowBytes(width), bytes = i32x4.splat(<i32>row), zero = f32x4.splat(0);
  const right = f32x4.splat(<f32>(width - 1)), bottom = f32x4.splat(<f32>(height - 1));
  for (let y: usize = 0; y < height; y++)
    for (let x: usize = 0; x < width; x += 4) {
      const k = y * row + x * FLOAT;
      const atX = f32x4.add(columnsFrom(x), v128.load(across + k));
      const atY = f32x4.add(f32x4.splat(<f32>y), v128.load(down + k));
      const insideX = v128.and(f32x4.ge(atX, zero), f32x4.le(atX, right));
      const insideY = v128.and(f32x4.ge(atY, zero), f32x4.le(atY, bottom));
      const value = sample(to, atX, atY, right, bottom, bytes);
      const change = v128.and(v128.and(insideX, insideY), f32x4.sub(value, v128.load(from + k)));
      v128.store(xt + k, f32x4.mul(v128.load(dx + k), change));
      v128.store(yt + k, f32x4.mul(v128.load(dy + k), change));
    }
}

/**
 * Adds to each displacement the solution of its least squares, at most one pixel along each axis.
 *
 * @param damping added to both squares
 */
export function solve(
  across: usize, down: usize, xx: usize, xy: usize, yy: usize, xt: usize, yt: usize, damping: f32,
  width: usize, height: usize,
): void {
  const bytes = rowBytes(width) * height, added = f32x4.splat(damping);
  for (let k: usize = 0; k < bytes; k += 16) {
    const a = f32x4.add(v128.load(xx + k), added), b = v128.load(xy + k), c = f32x4.add(v128.load(yy + k), added);
    const x = v128.load(xt + k), y = v128.load(yt + k);
    const determinant = f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, b));
    const stepX = f32x4.div(f32x4.sub(f32x4.mul(b, y), f32x4.mul(c, x)), determinant);
    const stepY = f32x4.div(f32x4.sub(f32x4.mul(b, x), f32x4.mul(a, y)), determinant);
    v128.store(across + k, f32x4.add(v128.load(across + k), within1(stepX)));
    v128.store(down + k, f32x4.add(v128.load(down + k), within1(stepY)));
  }
}

// @ts-ignore: decorator
@inline function within1(value: v128): v128 {
  return f32x4.max(f32x4.splat(-1), f32x4.min(f32x4.splat(1), value));
}
