import { atLeast, floorFor, smaller, wherePositive } from '../../runtime/assembly/simd';

/** Arguments of the distance of channels from themselves after matching to a target's distribution. */
@unmanaged
class HistogramArgs {
  /** [pixels][n], before a ReLU if `relu`. */
  features: usize;
  pixels: usize; channels: usize;
  /** Not 0: the layer is the ReLU of `features`. */
  relu: usize;
  /** Quantiles of each channel in falling order, [n][quantiles]. */
  target: usize;
  quantiles: usize;
  /** Factor of the difference that is added to the gradient. */
  factor: f32;
  /** [pixels][n] */
  gradient: usize;
  /** A double for each item: its sum of squares. */
  sums: usize;
}

/** Channels of an item: a vector of floats. */
const CHANNELS: usize = 4;

/**
 * The sum of squared differences of four channels from their matched selves, and factor times the differences, added to
 * the gradient: the k-th largest of m values is compared with the target's quantile at (k + 1/2) / m.
 *
 * Scratch: for each pixel four floats, and two pairs of a key and a position; and 2048 counts.
 */
export function histogramDistance(args: usize, item: usize, scratch: usize): void {
  const s = changetype<HistogramArgs>(args);
  const pixels = s.pixels, row = s.channels << 2, floor = floorFor(s.relu), column = item << 4;
  const values = scratch, size = pixels << 2;
  const pairs = values + CHANNELS * size, others = pairs + (size << 1), counts = others + (size << 1);
  for (let i: usize = 0; i < pixels; i++) {
    const x = atLeast(floor, v128.load(s.features + i * row + column)), to = values + (i << 2);
    v128.store32_lane(to, x, 0);
    v128.store32_lane(to + size, x, 1);
    v128.store32_lane(to + 2 * size, x, 2);
    v128.store32_lane(to + 3 * size, x, 3);
  }
  let total: f64 = 0;
  for (let c: usize = 0; c < CHANNELS; c++)
    total += matchChannel(values + c * size, pixels, s.target + (item * CHANNELS + c) * (s.quantiles << 2), s.quantiles, pairs, others, counts);
  const factor = f32x4.splat(s.factor);
  for (let i: usize = 0; i < pixels; i++) {
    const at = i * row + column, from = values + (i << 2), to = s.gradient + at;
    let difference = v128.load32_zero(from);
    difference = v128.load32_lane(from + size, difference, 1);
    difference = v128.load32_lane(from + 2 * size, difference, 2);
    difference = v128.load32_lane(from + 3 * size, difference, 3);
    const slope = f32x4.mul(factor, difference);
    v128.store(to, f32x4.add(v128.load(to), s.relu ? wherePositive(slope, v128.load(s.features + at)) : slope));
  }
  store<f64>(s.sums + (item << 3), total);
}

/** Replaces the values of a channel by their differences from the matched ones. @returns the sum of their squares */
function matchChannel(
  values: usize, pixels: usize, target: usize, quantiles: usize, pairs: usize, others: usize, counts: usize,
): f64 {
  // Keys whose order as unsigned numbers is the falling order of the floats.
  for (let i: usize = 0; i < pixels; i++) {
    const bits = load<u32>(values + (i << 2));
    store<u32>(pairs + (i << 3), bits >> 31 ? bits : ~bits & 0x7fffffff);
    store<u32>(pairs + (i << 3), <u32>i, 4);
  }
  radixPass(pairs, others, pixels, 0, counts);
  radixPass(others, pairs, pixels, 11, counts);
  radixPass(pairs, others, pixels, 22, counts);
  const step = <f64>quantiles / <f64>pixels, last = <f64>(quantiles - 1);
  let total: f64 = 0;
  for (let k: usize = 0; k < pixels; k++) {
    const at = Math.min(Math.max((<f64>k + 0.5) * step - 0.5, 0), last);
    const below = smaller(<usize>at, quantiles > 1 ? quantiles - 2 : 0), share = at - <f64>below;
    const first = <f64>load<f32>(target + (below << 2));
    const second = <f64>load<f32>(target + (smaller(below + 1, quantiles - 1) << 2));
    const to = values + (<usize>load<u32>(others + (k << 3), 4) << 2);
    const difference = <f64>load<f32>(to) - (first + (second - first) * share);
    total += difference * difference;
    store<f32>(to, <f32>difference);
  }
  return total;
}

/** Sorts pairs of a key and a position by eleven bits of the key, stably. */
function radixPass(from: usize, to: usize, count: usize, shift: u32, counts: usize): void {
  memory.fill(counts, 0, 8192);
  for (let i: usize = 0; i < count; i++) {
    const at = counts + (((load<u32>(from + (i << 3)) >> shift) & 2047) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let before: u32 = 0;
  for (let bucket: usize = 0; bucket < 8192; bucket += 4) {
    const size = load<u32>(counts + bucket);
    store<u32>(counts + bucket, before);
    before += size;
  }
  for (let i: usize = 0; i < count; i++) {
    const pair = load<u64>(from + (i << 3));
    const at = counts + ((((<u32>pair) >> shift) & 2047) << 2), place = load<u32>(at);
    store<u64>(to + (<usize>place << 3), pair);
    store<u32>(at, place + 1);
  }
}
