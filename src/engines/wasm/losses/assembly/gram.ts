import { firstConvolution } from '../../network/assembly/first-layer';
import { accumulateGram, matrixProduct } from '../../runtime/assembly/matrix-products';
import { atLeast, floorFor, smaller, wherePositive } from '../../runtime/assembly/simd';

/** Arguments of Gram matrices and their gradients. */
@unmanaged
class GramArgs {
  /** [pixels][n], before a ReLU if `relu`. */
  features: usize;
  pixels: usize; channels: usize;
  /** Not 0: the layer is the ReLU of `features`. */
  relu: usize;
  /** Pixels for each item. */
  share: usize;
  /** Forward: a sum [n][n] for each item, blocks on and above the diagonal; the kernel clears it. */
  sums: usize;
  /** Backward: panels [n/8][n][8] of the symmetric matrix that features are multiplied by. */
  matrix: usize;
  /** Backward: [pixels][n], which the product is added to. */
  gradient: usize;
  /** [pixels], the weight of each pixel; 0 for none. */
  mask: usize;
}

/** Pixels that are copied into panels and multiplied at a time. */
const CHUNK: usize = 128;

/**
 * The sum of products of channels over one share of the pixels. Sums belong to shares and not to threads, so that the
 * result does not depend on the number of threads.
 */
export function gramForward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<GramArgs>(args);
  const n = s.channels, sum = s.sums + ((item * n * n) << 2), floor = floorFor(s.relu);
  memory.fill(sum, 0, (n * n) << 2);
  const last = smaller(s.pixels, (item + 1) * s.share);
  for (let from = item * s.share; from < last; from += CHUNK) {
    const pixels = smaller(CHUNK, last - from), features = s.features + ((from * n) << 2);
    accumulatePixels(features, pixels, n, floor, s.mask ? s.mask + (from << 2) : 0, scratch, sum);
  }
}

/** Adds the products of channels over some pixels, at most CHUNK, to a sum [n][n]. */
// @ts-ignore: decorator
@inline function accumulatePixels(
  features: usize, pixels: usize, n: usize, floor: v128, mask: usize, scratch: usize, sum: usize,
): void {
  if (mask == 0) {
    toPanels(features, pixels, n, floor, scratch);
    accumulateGram(scratch, pixels, n, sum);
    return;
  }
  const weighted = countWeighted(mask, pixels);
  if (weighted == 0) return;
  toWeightedPanels(features, pixels, n, floor, mask, weighted, scratch);
  accumulateGram(scratch, weighted, n, sum);
}

/** The number of pixels whose weight is not 0. */
// @ts-ignore: decorator
@inline function countWeighted(mask: usize, pixels: usize): usize {
  let count: usize = 0;
  for (let i: usize = 0; i < pixels; i++) count += <usize>(load<f32>(mask + (i << 2)) != 0);
  return count;
}

/** `toPanels` of the pixels whose weight is not 0, each times the root of its weight. */
// @ts-ignore: decorator
@inline function toWeightedPanels(
  from: usize, pixels: usize, n: usize, floor: v128, mask: usize, weighted: usize, panels: usize,
): void {
  let place: usize = 0;
  for (let i: usize = 0; i < pixels; i++) {
    const weight = load<f32>(mask + (i << 2));
    if (weight == 0) continue;
    const row = from + ((i * n) << 2), root = f32x4.splat(sqrt<f32>(weight));
    for (let c: usize = 0; c < n; c += 8) {
      const to = panels + ((c * weighted) << 2) + (place << 5);
      v128.store(to, f32x4.mul(root, atLeast(floor, v128.load(row + (c << 2)))));
      v128.store(to, f32x4.mul(root, atLeast(floor, v128.load(row + (c << 2), 16))), 16);
    }
    place++;
  }
}

/** [pixels][n] to panels [n/8][pixels][8], with no value below `floor`. */
// @ts-ignore: decorator
@inline function toPanels(from: usize, pixels: usize, n: usize, floor: v128, panels: usize): void {
  for (let i: usize = 0; i < pixels; i++) {
    const row = from + ((i * n) << 2);
    for (let c: usize = 0; c < n; c += 8) {
      const to = panels + ((c * pixels) << 2) + (i << 5);
      v128.store(to, atLeast(floor, v128.load(row + (c << 2))));
      v128.store(to, atLeast(floor, v128.load(row + (c << 2), 16)), 16);
    }
  }
}

/** Arguments of the Gram matrix of the first convolution. */
@unmanaged
class FirstGramArgs {
  /** The normalised image with its border, [h + 2][w + 2][3]; the row above the first one that is summed. */
  image: usize;
  /** Weights of the first convolution, panels [n/8][28][8]. */
  weights: usize;
  /** Number of rows that are summed, and the image's width. */
  height: usize; width: usize;
  channels: usize;
  /** Not 0: the layer is the ReLU of the convolution. */
  relu: usize;
  /** Rows for each item. */
  share: usize;
  /** A sum [n][n] for each item, blocks on and above the diagonal; the kernel clears it. */
  sums: usize;
  /** [height][width], the weight of each pixel; 0 for none. */
  mask: usize;
}

/**
 * `gramForward` for the first convolution, which is computed from the image chunk by chunk in scratch memory and not
 * stored.
 */
export function firstGramForward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FirstGramArgs>(args);
  const n = s.channels, sum = s.sums + ((item * n * n) << 2), floor = floorFor(s.relu), row = (s.width + 2) * 12;
  const features = scratch + CHUNK * (n << 2);
  memory.fill(sum, 0, (n * n) << 2);
  const last = smaller(s.height, (item + 1) * s.share);
  for (let y = item * s.share; y < last; y++) {
    for (let x: usize = 0; x < s.width; x += CHUNK) {
      const pixels = smaller(CHUNK, s.width - x);
      firstConvolution(s.image + y * row + x * 12, row, s.weights, (pixels + 3) & ~3, features, n);
      accumulatePixels(features, pixels, n, floor, s.mask ? s.mask + ((y * s.width + x) << 2) : 0, scratch, sum);
    }
  }
}

/** Arguments of the sum of partial sums of a Gram matrix. */
@unmanaged
class GramTotalArgs {
  /** Sums [n][n], blocks on and above the diagonal, one behind the other. */
  sums: usize;
  shares: usize; channels: usize;
  /** [n][n] in double precision, to which they are added in order. */
  totals: usize;
}

/** Adds some rows of partial sums to their totals in double precision. */
export function gramTotal(args: usize, item: usize, scratch: usize): void {
  const s = changetype<GramTotalArgs>(args);
  const n = s.channels, first = item * ROWS;
  for (let i = first; i < smaller(n, first + ROWS); i++) {
    const row = (i * n) << 2, totals = s.totals + (row << 1);
    for (let share: usize = 0; share < s.shares; share++) {
      const sums = s.sums + ((share * n * n) << 2) + row;
      for (let j = first; j < n; j += 2) {
        const to = totals + (j << 3);
        v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(v128.load64_zero(sums + (j << 2)))));
      }
    }
  }
}

/** Arguments of the distance of a Gram matrix from its target. */
@unmanaged
class GramDistanceArgs {
  /** The matrix [n][n] in double precision, on and above the diagonal. */
  totals: usize;
  channels: usize;
  /** [n][n] */
  target: usize;
  /** Not 0: magnitudes, else squares. */
  magnitudes: usize;
  /** Two doubles: factors of the matrix and of its gradient. */
  factors: usize;
  /** Panels [n/8][n][8] of the gradient, which is symmetric. */
  matrix: usize;
  /** A double for each item: its part of the distance. */
  distances: usize;
}

/** Rows of the matrix for each item. */
const ROWS: usize = 8;

/**
 * Distance of some rows of a Gram matrix from a target, and the gradient with respect to them, in double precision.
 * Only entries on and right of the diagonal are read; by symmetry those right of it count twice.
 */
export function gramDistance(args: usize, item: usize, scratch: usize): void {
  const s = changetype<GramDistanceArgs>(args);
  const n = s.channels, scale = load<f64>(s.factors), factor = load<f64>(s.factors, 8), first = item * ROWS;
  let total: f64 = 0;
  for (let i = first; i < smaller(n, first + ROWS); i++) {
    const row = (i * n) << 2;
    for (let j = i; j < n; j++) {
      const difference = load<f64>(s.totals + (row << 1) + (j << 3)) * scale - <f64>load<f32>(s.target + row + (j << 2));
      const size = s.magnitudes ? abs<f64>(difference) : difference * difference;
      const slope = s.magnitudes ? <f64>(<i32>(difference > 0) - <i32>(difference < 0)) : 2 * difference;
      total += i == j ? size : 2 * size;
      store<f32>(s.matrix + (((j >> 3) * n + i) << 5) + ((j & 7) << 2), <f32>(factor * slope));
      store<f32>(s.matrix + (((i >> 3) * n + j) << 5) + ((i & 7) << 2), <f32>(factor * slope));
    }
  }
  store<f64>(s.distances + (item << 3), total);
}

/**
 * gradient += weight * features * matrix over one share of the pixels; through the ReLU if there is one. Pixels of
 * weight 0 are left out.
 */
export function gramBackward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<GramArgs>(args);
  const n = s.channels, pixel = n << 2, floor = floorFor(s.relu), products = scratch + CHUNK * pixel;
  const last = smaller(s.pixels, (item + 1) * s.share);
  for (let from = item * s.share; from < last; from += CHUNK) {
    const pixels = smaller(CHUNK, last - from), bytes = pixels * pixel;
    const features = s.features + from * pixel, to = s.gradient + from * pixel;
    if (s.mask) {
      weightedGramBackward(s, features, to, pixels, s.mask + (from << 2), scratch);
      continue;
    }
    if (!s.relu && (pixels & 3) == 0) {
      matrixProduct(features, pixel, s.matrix, to, pixel, pixels, n, n, true);
      continue;
    }
    for (let i: usize = 0; i < bytes; i += 16) v128.store(scratch + i, atLeast(floor, v128.load(features + i)));
    matrixProduct(scratch, pixel, s.matrix, products, pixel, (pixels + 3) & ~3, n, n);
    for (let i: usize = 0; i < bytes; i += 16) {
      const product = v128.load(products + i);
      v128.store(to + i, f32x4.add(v128.load(to + i), s.relu ? wherePositive(product, v128.load(scratch + i)) : product));
    }
  }
}

/** `gramBackward` for some pixels, at most CHUNK, with weights. */
function weightedGramBackward(
  s: GramArgs, features: usize, to: usize, pixels: usize, mask: usize, scratch: usize,
): void {
  const n = s.channels, pixel = n << 2, floor = floorFor(s.relu), products = scratch + CHUNK * pixel;
  let weighted: usize = 0;
  for (let i: usize = 0; i < pixels; i++) {
    const weight = load<f32>(mask + (i << 2));
    if (weight == 0) continue;
    const row = features + i * pixel, copy = scratch + weighted * pixel, factor = f32x4.splat(weight);
    for (let c: usize = 0; c < pixel; c += 16)
      v128.store(copy + c, f32x4.mul(factor, atLeast(floor, v128.load(row + c))));
    weighted++;
  }
  if (weighted == 0) return;
  matrixProduct(scratch, pixel, s.matrix, products, pixel, (weighted + 3) & ~3, n, n);
  let place: usize = 0;
  for (let i: usize = 0; i < pixels; i++) {
    if (load<f32>(mask + (i << 2)) == 0) continue;
    const product = products + place * pixel, copy = scratch + place * pixel, gradient = to + i * pixel;
    for (let c: usize = 0; c < pixel; c += 16) {
      const value = v128.load(product + c);
      const slope = s.relu ? wherePositive(value, v128.load(copy + c)) : value;
      v128.store(gradient + c, f32x4.add(v128.load(gradient + c), slope));
    }
    place++;
  }
}
