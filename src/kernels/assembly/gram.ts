import { accumulateGram, multiply } from './products';
import { atLeast, floorFor, smaller, wherePositive } from './simd';

/** What Gram matrices and their gradients need. */
@unmanaged
class GramArgs {
  /** [pixels][n], before a ReLU if `relu`. */
  features: usize;
  pixels: usize; channels: usize;
  /** Not 0: the layer is the ReLU of `features`. */
  relu: usize;
  /** Pixels of an item. */
  share: usize;
  /** Forward: a sum [n][n] for each item, blocks on and above the diagonal; cleared by the kernel. */
  sums: usize;
  /** Backward: panels [n/8][n][8] of the symmetric matrix that features are multiplied by. */
  matrix: usize;
  /** Backward: [pixels][n], which the product is added to. */
  gradient: usize;
}

/** Pixels that are brought into panels before a product. */
const CHUNK: usize = 128;

/** The sum of products of channels over one share of the pixels. Shares, not threads, have sums: the result does not depend on who works. */
export function gramForward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<GramArgs>(args);
  const n = s.channels, sum = s.sums + ((item * n * n) << 2), floor = floorFor(s.relu);
  memory.fill(sum, 0, (n * n) << 2);
  const last = smaller(s.pixels, (item + 1) * s.share);
  for (let from = item * s.share; from < last; from += CHUNK) {
    const pixels = smaller(CHUNK, last - from);
    for (let i: usize = 0; i < pixels; i++) {
      const row = s.features + (((from + i) * n) << 2);
      for (let c: usize = 0; c < n; c += 8) {
        const to = scratch + ((c * pixels) << 2) + (i << 5);
        v128.store(to, atLeast(floor, v128.load(row + (c << 2))));
        v128.store(to, atLeast(floor, v128.load(row + (c << 2), 16)), 16);
      }
    }
    accumulateGram(scratch, pixels, n, sum);
  }
}

/** gradient += features * matrix over one share of the pixels; through the ReLU if there is one. */
export function gramBackward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<GramArgs>(args);
  const n = s.channels, pixel = n << 2, floor = floorFor(s.relu), products = scratch + CHUNK * pixel;
  const last = smaller(s.pixels, (item + 1) * s.share);
  for (let from = item * s.share; from < last; from += CHUNK) {
    const pixels = smaller(CHUNK, last - from), bytes = pixels * pixel, features = s.features + from * pixel, to = s.gradient + from * pixel;
    if (!s.relu && (pixels & 3) == 0) {
      multiply(features, pixel, s.matrix, to, pixel, pixels, n, n, true);
      continue;
    }
    for (let i: usize = 0; i < bytes; i += 16) v128.store(scratch + i, atLeast(floor, v128.load(features + i)));
    multiply(scratch, pixel, s.matrix, products, pixel, (pixels + 3) & ~3, n, n);
    for (let i: usize = 0; i < bytes; i += 16) {
      const product = v128.load(products + i);
      v128.store(to + i, f32x4.add(v128.load(to + i), s.relu ? wherePositive(product, v128.load(scratch + i)) : product));
    }
  }
}
