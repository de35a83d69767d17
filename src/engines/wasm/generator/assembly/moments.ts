import { smaller } from '../../runtime/assembly/simd';

/** Arguments of `generatorMoments`. */
@unmanaged
class MomentsArgs {
  /** [pixels][channels] */
  map: usize;
  /** For each item, sums and sums of squares, doubles [2][channels]. */
  moments: usize;
  pixels: usize; channels: usize;
  /** Pixels of an item. */
  share: usize;
}

/** Sums and sums of squares by channel, over one share of the pixels. */
export function generatorMoments(args: usize, item: usize, scratch: usize): void {
  const s = changetype<MomentsArgs>(args), first = item * s.share;
  const to = s.moments + item * s.channels * 16;
  memory.fill(to, 0, s.channels * 16);
  addMoments(s.map + first * s.channels * 4, smaller(s.share, s.pixels - first), s.channels, to);
}

/** Adds sums and sums of squares of pixels to doubles [2][channels]. */
export function addMoments(from: usize, pixels: usize, channels: usize, to: usize): void {
  const pixel = channels << 2, squares = to + (channels << 3);
  for (let c: usize = 0; c < pixel; c += 16) {
    let low = f64x2.splat(0), high = low, low2 = low, high2 = low;
    for (let x: usize = 0, at = from + c; x < pixels; x++, at += pixel) {
      const value = v128.load(at);
      const a = f64x2.promote_low_f32x4(value), b = f64x2.promote_low_f32x4(i64x2.shuffle(value, value, 1, 1));
      low = f64x2.add(low, a);
      high = f64x2.add(high, b);
      low2 = f64x2.add(low2, f64x2.mul(a, a));
      high2 = f64x2.add(high2, f64x2.mul(b, b));
    }
    addDoubles(to + (c << 1), low, high);
    addDoubles(squares + (c << 1), low2, high2);
  }
}

// @ts-ignore: decorator
@inline export function addDoubles(at: usize, low: v128, high: v128): void {
  v128.store(at, f64x2.add(v128.load(at), low));
  v128.store(at, f64x2.add(v128.load(at, 16), high), 16);
}
