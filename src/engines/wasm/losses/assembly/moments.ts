import { atLeast, floorFor, multiplyAdd, smaller, wherePositive } from '../../runtime/assembly/simd';

/** Arguments of sums over positions and their gradients. */
@unmanaged
class MomentsArgs {
  /** [pixels][n], before a ReLU if `relu`. */
  features: usize;
  pixels: usize; channels: usize;
  /** Not 0: the layer is the ReLU of `features`. */
  relu: usize;
  /** Pixels for each item. */
  share: usize;
  /** Forward: for each item, [n] sums and [n] sums of squares, doubles; the kernel clears them. */
  sums: usize;
  /** Backward: [n] factors of the features and [n] numbers that are added. */
  factors: usize;
  /** Backward: [pixels][n], which is added to. */
  gradient: usize;
  /** [pixels], the weight of each pixel; 0 for none. */
  mask: usize;
}

// @ts-ignore: decorator
@inline function weightAt(s: MomentsArgs, pixel: usize): f32 {
  return s.mask ? load<f32>(s.mask + (pixel << 2)) : 1;
}

/** Sums of each channel and of its squares over one share of the pixels. */
export function momentsForward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<MomentsArgs>(args);
  const n = s.channels, floor = floorFor(s.relu), sums = s.sums + ((item * n) << 4), squares = sums + (n << 3);
  memory.fill(sums, 0, n << 4);
  const last = smaller(s.pixels, (item + 1) * s.share);
  for (let pixel = item * s.share; pixel < last; pixel++) {
    const from = s.features + ((pixel * n) << 2), weight = weightAt(s, pixel), factor = f64x2.splat(weight);
    if (weight == 0) continue;
    for (let c: usize = 0; c < n; c += 2) {
      const at = c << 3;
      const x = f64x2.promote_low_f32x4(atLeast(floor, v128.load64_zero(from + (c << 2)))), y = f64x2.mul(factor, x);
      v128.store(sums + at, f64x2.add(v128.load(sums + at), y));
      v128.store(squares + at, f64x2.add(v128.load(squares + at), f64x2.mul(x, y)));
    }
  }
}

/** gradient += features * factor + addend, channel by channel, over one share of the pixels; through a ReLU. */
export function momentsBackward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<MomentsArgs>(args);
  const n = s.channels, addends = s.factors + (n << 2), last = smaller(s.pixels, (item + 1) * s.share);
  for (let pixel = item * s.share; pixel < last; pixel++) {
    const row = (pixel * n) << 2, weight = f32x4.splat(weightAt(s, pixel));
    for (let at: usize = 0; at < n << 2; at += 16) {
      const x = v128.load(s.features + row + at), to = s.gradient + row + at;
      const slope = f32x4.mul(weight, multiplyAdd(x, v128.load(s.factors + at), v128.load(addends + at)));
      v128.store(to, f32x4.add(v128.load(to), s.relu ? wherePositive(slope, x) : slope));
    }
  }
}
