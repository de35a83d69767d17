import { atLeast, floorFor, multiplyAdd, smaller, wherePositive } from '../../runtime/assembly/simd';

/**
 * Arguments of the kernels that treat each value alone. Memory behind the last value, up to a whole vector, is read but
 * does not count, and gradients there are written as they were.
 */
@unmanaged
class ElementwiseArgs {
  /** The values before the ReLU if `relu`. */
  features: usize;
  /** `distance`: the target; `add`: the values to add. */
  other: usize;
  /** Gradient to add to. */
  gradient: usize;
  length: usize;
  relu: usize;
  /** Values for each item. */
  share: usize;
  /** Factor of the values added to the gradient. */
  factor: f32;
  /** Not 0: magnitudes, else squares. */
  magnitudes: usize;
  /** A double for each item: its part of the distance. */
  sums: usize;
  /** `maskedDistance`: the weight of each position, and values of a position. */
  mask: usize;
  channels: usize;
}

/**
 * Distance of features from a target over one share, and factor * its derivative (2 d, or the sign of d) added to the
 * gradient.
 */
export function distance(args: usize, item: usize, scratch: usize): void {
  distanceOf(args, item, false);
}

/** `distance` with a weight for each position. */
export function maskedDistance(args: usize, item: usize, scratch: usize): void {
  distanceOf(args, item, true);
}

// @ts-ignore: decorator
@inline function distanceOf(args: usize, item: usize, masked: bool): void {
  const s = changetype<ElementwiseArgs>(args);
  const floor = floorFor(s.relu), factor = f32x4.splat(s.factor), zero = f32x4.splat(0), one = f32x4.splat(1);
  const first = item * s.share, last = smaller(s.length, first + s.share);
  let total: f64 = 0;
  for (let from = first; from < last; from += 1024) {
    // Sums of at most 256 terms in float32; their sum in double precision.
    let sum = zero;
    const end = smaller(last, from + 1024) << 2;
    for (let i = from << 2; i < end; i += 16) {
      const raw = v128.load(s.features + i);
      const difference = v128.and(f32x4.sub(atLeast(floor, raw), v128.load(s.other + i)), inside(i, end));
      const weights = masked ? weightsAt(s.mask, s.channels, i >> 2) : one;
      let slope = difference;
      if (s.magnitudes) {
        const size = f32x4.abs(difference);
        sum = f32x4.add(sum, masked ? f32x4.mul(weights, size) : size);
        slope = f32x4.sub(v128.and(f32x4.gt(difference, zero), one), v128.and(f32x4.lt(difference, zero), one));
      } else {
        sum = multiplyAdd(masked ? f32x4.mul(weights, difference) : difference, difference, sum);
        slope = f32x4.add(difference, difference);
      }
      if (masked) slope = f32x4.mul(weights, slope);
      if (s.relu) slope = wherePositive(slope, raw);
      v128.store(s.gradient + i, multiplyAdd(factor, slope, v128.load(s.gradient + i)));
    }
    total += <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1)
      + <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3);
  }
  store<f64>(s.sums + (item << 3), total);
}

/** The weights of the positions of values `i` to i + 3; of channels in fours these are one position. */
// @ts-ignore: decorator
@inline function weightsAt(mask: usize, channels: usize, i: usize): v128 {
  if ((channels & 3) == 0) return v128.load32_splat(mask + ((i / channels) << 2));
  // Values behind the last one have a weight that is read beyond the mask, and a difference of 0.
  return f32x4(
    load<f32>(mask + ((i / channels) << 2)), load<f32>(mask + (((i + 1) / channels) << 2)),
    load<f32>(mask + (((i + 2) / channels) << 2)), load<f32>(mask + (((i + 3) / channels) << 2)),
  );
}

/** gradient += factor * other over one share, where features are positive if `relu`. */
export function add(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ElementwiseArgs>(args);
  const factor = f32x4.splat(s.factor);
  const first = item * s.share, end = smaller(s.length, first + s.share) << 2;
  for (let i = first << 2; i < end; i += 16) {
    let x = v128.and(v128.load(s.other + i), inside(i, end));
    if (s.relu) x = wherePositive(x, v128.load(s.features + i));
    v128.store(s.gradient + i, multiplyAdd(factor, x, v128.load(s.gradient + i)));
  }
}

/** All bits of the values of the vector at byte `i` that lie before byte `end`. */
// @ts-ignore: decorator
@inline function inside(i: usize, end: usize): v128 {
  return i32x4.gt_s(i32x4.splat(<i32>(end - i)), i32x4(0, 4, 8, 12));
}

/** Arguments of the total variation of an image. */
@unmanaged
class VariationArgs {
  /** [h][w][c] */
  image: usize;
  /** Gradient to add to. */
  gradient: usize;
  height: usize; width: usize; channels: usize;
  /** Rows for each item. */
  share: usize;
  /** Factors of the values added to the gradient, for horizontal and vertical pairs. */
  across: f32; down: f32;
  /** Not 0: magnitudes, else squares. */
  magnitudes: usize;
  /** Two doubles for each item: its sums over horizontal and over vertical pairs. */
  sums: usize;
  /** [h][w], weights of pixels, whose products are those of pairs; 0 for none. */
  mask: usize;
}

/**
 * Differences of neighbours over some rows: their sums, and factor * their derivatives added to the gradient if there
 * is one.
 */
export function variation(args: usize, item: usize, scratch: usize): void {
  const s = changetype<VariationArgs>(args);
  const pixel = s.channels << 2, row = s.width * pixel, last = smaller(s.height, (item + 1) * s.share);
  const line = s.width << 2;
  let across: f64 = 0, down: f64 = 0;
  for (let y = item * s.share; y < last; y++) {
    for (let x: usize = 0; x < row; x += 4) {
      const at = s.image + y * row + x, to = s.gradient + y * row + x;
      const here = load<f32>(at), place = s.mask ? s.mask + y * line + ((x / pixel) << 2) : 0;
      let slope: f32 = 0;
      // Every pair is visited from both of its pixels; its value is counted at the first.
      if (x + pixel < row) {
        const difference = load<f32>(at + pixel) - here;
        const weight = pairWeight(s.mask, place, place + 4);
        across += <f64>(weight * size(difference, s.magnitudes));
        slope -= s.across * weight * derivative(difference, s.magnitudes);
      }
      if (x >= pixel)
        slope += s.across * pairWeight(s.mask, place - 4, place) * derivative(here - load<f32>(at - pixel), s.magnitudes);
      if (y + 1 < s.height) {
        const difference = load<f32>(at + row) - here;
        const weight = pairWeight(s.mask, place, place + line);
        down += <f64>(weight * size(difference, s.magnitudes));
        slope -= s.down * weight * derivative(difference, s.magnitudes);
      }
      if (y > 0)
        slope += s.down * pairWeight(s.mask, place - line, place) * derivative(here - load<f32>(at - row), s.magnitudes);
      store<f32>(to, load<f32>(to) + slope);
    }
  }
  store<f64>(s.sums + (item << 4), across);
  store<f64>(s.sums + (item << 4), down, 8);
}

/** The product of the weights of two pixels; 1 without a mask. */
// @ts-ignore: decorator
@inline function pairWeight(mask: usize, a: usize, b: usize): f32 {
  return mask ? load<f32>(a) * load<f32>(b) : 1;
}

// @ts-ignore: decorator
@inline function size(difference: f32, magnitudes: usize): f32 {
  return magnitudes ? abs<f32>(difference) : difference * difference;
}

// @ts-ignore: decorator
@inline function derivative(difference: f32, magnitudes: usize): f32 {
  return magnitudes ? <f32>(<i32>(difference > 0) - <i32>(difference < 0)) : 2 * difference;
}
