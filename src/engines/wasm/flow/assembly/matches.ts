import { columnsFrom, FLOAT, rowBytes } from './rows';
import { sample } from './sample';

/** Squares of the differences of pixels to where they are displaced in the other picture. */
export function squares(
  from: usize, to: usize, across: usize, down: usize, into: usize, width: usize, height: usize,
): void {
  const row = rowBytes(width), bytes = i32x4.splat(<i32>row);
  const right = f32x4.splat(<f32>(width - 1)), bottom = f32x4.splat(<f32>(height - 1));
  for (let y: usize = 0; y < height; y++)
    for (let x: usize = 0; x < width; x += 4) {
      const k = y * row + x * FLOAT;
      const atX = f32x4.add(columnsFrom(x), v128.load(across + k));
      const atY = f32x4.add(f32x4.splat(<f32>y), v128.load(down + k));
      const change = f32x4.sub(sample(to, atX, atY, right, bottom, bytes), v128.load(from + k));
      v128.store(into + k, f32x4.mul(change, change));
    }
}

/** Sets displacements to 0 where the squares at rest are at most `factor` times those of the displaced, and `added`. */
export function keepWhereMoved(
  across: usize, down: usize, atRest: usize, moved: usize, factor: f32, added: f32, width: usize, height: usize,
): void {
  const bytes = rowBytes(width) * height, f = f32x4.splat(factor), a = f32x4.splat(added);
  for (let k: usize = 0; k < bytes; k += 16) {
    const most = f32x4.add(f32x4.mul(f, v128.load(moved + k)), a);
    const keeps = f32x4.gt(v128.load(atRest + k), most);
    v128.store(across + k, v128.and(keeps, v128.load(across + k)));
    v128.store(down + k, v128.and(keeps, v128.load(down + k)));
  }
}

/** Takes other displacements where their squares are less than `factor` times the own ones, in place. */
export function takeBetter(
  across: usize, down: usize, own: usize, otherAcross: usize, otherDown: usize, other: usize, factor: f32,
  width: usize, height: usize,
): void {
  const bytes = rowBytes(width) * height, f = f32x4.splat(factor);
  for (let k: usize = 0; k < bytes; k += 16) {
    const mine = v128.load(own + k), theirs = v128.load(other + k);
    const better = f32x4.lt(theirs, f32x4.mul(f, mine));
    v128.store(own + k, v128.bitselect(theirs, mine, better));
    v128.store(across + k, v128.bitselect(v128.load(otherAcross + k), v128.load(across + k), better));
    v128.store(down + k, v128.bitselect(v128.load(otherDown + k), v128.load(down + k), better));
  }
}
