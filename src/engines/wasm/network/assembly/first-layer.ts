import { accumulateGram, matrixProduct } from '../../runtime/assembly/matrix-products';
import { multiplyAdd, smaller } from '../../runtime/assembly/simd';

/**
 * Arguments of the first convolution's kernels. Its three input channels do not fill the vectors of four that
 * Winograd's kernels use.
 */
@unmanaged
class FirstLayerArgs {
  /**
   * Forward: the normalised image with a border, [h + 2][w + 2][3]. Backward: the gradient of the layer's
   * output, [h][w][n].
   */
  input: usize;
  /**
   * Forward: [h][w][n]. Backward: the image's gradient, [h][w][3]. Patches: a sum [32][32] for each item, which the
   * kernel clears.
   */
  output: usize;
  /** Forward: panels [n/8][28][8], the last row the bias. Backward: panels [4][n][8], 27 columns (ky, kx, colour). */
  weights: usize;
  height: usize; width: usize; channels: usize;
  /** Forward: not 0 to add to the output. */
  add: usize;
  /** Patches and backward: rows of the image for each item, at least 4 backward. */
  share: usize;
  /** Backward: what the border holds. 0: zeros; 1: the nearest pixel; 2: the mirror image about the outermost pixel. */
  padding: usize;
  /** Patches, and forward with `add`: [h][w], the weight of each pixel; 0 for none. */
  mask: usize;
}

/** Pixels that are multiplied at a time. */
const CHUNK: usize = 64;
/** Values of a patch: 27 of the image, a 1 for the bias, and zeros up to whole panels of eight. */
const PATCH: usize = 32;

/**
 * The first convolution at `pixels` (a multiple of 4) consecutive pixels of a row: C[pixels][n] = patches * weights +
 * bias. A patch is three runs of nine values in the image and is not copied.
 *
 * @param from the first value of the first patch
 * @param row bytes of a row of the image
 */
export function firstConvolution(from: usize, row: usize, weights: usize, pixels: usize, to: usize, n: usize): void {
  const pixel = n << 2;
  for (let j: usize = 0; j < n; j += 8) {
    const panel = weights + j * 112;
    const low = v128.load(panel, 27 * 32), high = v128.load(panel, 27 * 32 + 16);
    let c = to + (j << 2);
    for (let i: usize = 0; i < pixels; i += 4) {
      let c00 = low, c01 = high, c10 = low, c11 = high, c20 = low, c21 = high, c30 = low, c31 = high;
      let a = from + i * 12, b = panel;
      for (let ky: usize = 0; ky < 3; ky++) {
        const end = a + 36;
        while (a != end) {
          const b0 = v128.load(b), b1 = v128.load(b, 16);
          const x0 = v128.load32_splat(a);
          c00 = multiplyAdd(x0, b0, c00); c01 = multiplyAdd(x0, b1, c01);
          const x1 = v128.load32_splat(a, 12);
          c10 = multiplyAdd(x1, b0, c10); c11 = multiplyAdd(x1, b1, c11);
          const x2 = v128.load32_splat(a, 24);
          c20 = multiplyAdd(x2, b0, c20); c21 = multiplyAdd(x2, b1, c21);
          const x3 = v128.load32_splat(a, 36);
          c30 = multiplyAdd(x3, b0, c30); c31 = multiplyAdd(x3, b1, c31);
          a += 4; b += 32;
        }
        a += row - 36;
      }
      v128.store(c, c00); v128.store(c, c01, 16); c += pixel;
      v128.store(c, c10); v128.store(c, c11, 16); c += pixel;
      v128.store(c, c20); v128.store(c, c21, 16); c += pixel;
      v128.store(c, c30); v128.store(c, c31, 16); c += pixel;
    }
  }
}

/** One row of the first convolution; with `add`, added to what is there, times the weights of pixels if there are. */
export function firstForward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FirstLayerArgs>(args);
  const row = (s.width + 2) * 12, pixel = s.channels << 2;
  for (let x0: usize = 0; x0 < s.width; x0 += CHUNK) {
    const pixels = smaller(CHUNK, s.width - x0), bytes = pixels * pixel, to = s.output + (item * s.width + x0) * pixel;
    const mask = s.mask + ((item * s.width + x0) << 2);
    if (s.mask && allZero(mask, pixels)) continue;
    firstConvolution(s.input + item * row + x0 * 12, row, s.weights, (pixels + 3) & ~3, scratch, s.channels);
    if (s.mask) for (let i: usize = 0; i < pixels; i++) {
      const weight = v128.load32_splat(mask + (i << 2)), row = i * pixel;
      for (let c = row; c < row + pixel; c += 16)
        v128.store(to + c, f32x4.add(v128.load(to + c), f32x4.mul(weight, v128.load(scratch + c))));
    }
    else if (s.add) for (let i: usize = 0; i < bytes; i += 16)
      v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(scratch + i)));
    else for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, v128.load(scratch + i));
  }
}

/** Whether all weights of some pixels are 0. */
// @ts-ignore: decorator
@inline function allZero(mask: usize, pixels: usize): bool {
  for (let i: usize = 0; i < pixels; i++) if (load<f32>(mask + (i << 2)) != 0) return false;
  return true;
}

/** The sum of products of the values of patches over one share of the rows, blocks on and above the diagonal. */
export function patchProducts(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FirstLayerArgs>(args);
  const row = (s.width + 2) * 12, sum = s.output + item * (PATCH * PATCH * 4);
  memory.fill(sum, 0, PATCH * PATCH * 4);
  const line = scratch + CHUNK * PATCH * 4;
  memory.fill(line, 0, PATCH * 4);
  store<f32>(line, 1, 108);
  const last = smaller(s.height, (item + 1) * s.share);
  for (let y = item * s.share; y < last; y++) {
    for (let x0: usize = 0; x0 < s.width; x0 += CHUNK) {
      const pixels = smaller(CHUNK, s.width - x0), panel = pixels << 5;
      const mask = s.mask + ((y * s.width + x0) << 2);
      if (s.mask && allZero(mask, pixels)) continue;
      for (let i: usize = 0; i < pixels; i++) {
        const from = s.input + y * row + (x0 + i) * 12;
        const to = scratch + (i << 5);
        // First all 27 values in a line, then eight at a time into their panels.
        for (let ky: usize = 0; ky < 3; ky++) {
          v128.store(line + ky * 36, v128.load(from + ky * row));
          v128.store(line + ky * 36, v128.load(from + ky * row, 16), 16);
          store<f32>(line + ky * 36, load<f32>(from + ky * row, 32), 32);
        }
        const root = f32x4.splat(s.mask ? sqrt<f32>(load<f32>(mask + (i << 2))) : 1);
        for (let k: usize = 0; k < PATCH; k += 8) {
          v128.store(to + (k >> 3) * panel, f32x4.mul(root, v128.load(line + (k << 2))));
          v128.store(to + (k >> 3) * panel, f32x4.mul(root, v128.load(line + (k << 2), 16)), 16);
        }
      }
      accumulateGram(scratch, pixels, PATCH, sum);
    }
  }
}

/**
 * A band of rows of the image's gradient. The output's gradient at a pixel times the weights gives that pixel's part of
 * the gradients of its nine neighbours; that of a neighbour beyond the border goes to the pixel that stands there. Rows
 * at the edges of bands are multiplied twice, so that no two items add to the same pixel.
 */
export function firstBackward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FirstLayerArgs>(args);
  const width = s.width, pixel = s.channels << 2, first = item * s.share, last = smaller(s.height, first + s.share);
  memory.fill(s.output + first * width * 12, 0, (last - first) * width * 12);
  for (let y: usize = first ? first - 1 : 0, end = smaller(s.height, last + 1); y < end; y++) {
    for (let x0: usize = 0; x0 < width; x0 += CHUNK) {
      const pixels = smaller(CHUNK, width - x0), whole = pixels & ~3;
      const from = s.input + (y * width + x0) * pixel, products = scratch + 4 * pixel;
      matrixProduct(from, pixel, s.weights, products, PATCH * 4, whole, s.channels, PATCH);
      if (whole < pixels) {
        memory.copy(scratch, from + whole * pixel, (pixels - whole) * pixel);
        matrixProduct(scratch, pixel, s.weights, products + whole * (PATCH * 4), PATCH * 4, 4, s.channels, PATCH);
      }
      for (let ky: usize = 0; ky < 3; ky++) {
        const row = inside(y + ky - 1, s.height, s.padding);
        // As unsigned numbers, rows above the band are large ones.
        if (row - first >= last - first) continue;
        for (let i: usize = 0; i < pixels; i++)
          addNeighbours(s.output + row * width * 12, x0 + i, width, products + i * (PATCH * 4) + ky * 36, s.padding);
      }
    }
  }
}

/**
 * The row or column that stands at `at`, from -1 to `size`; `at` itself, which is no less than `size` as an unsigned
 * number, if zeros stand beyond the border.
 */
// @ts-ignore: decorator
@inline function inside(at: usize, size: usize, padding: usize): usize {
  if (at < size || padding == 0) return at;
  const step: usize = padding == 2 && size > 1 ? 1 : 0;
  return at == size ? size - 1 - step : step;
}

/** Adds three RGB values to the pixels at x - 1, x and x + 1 of a row. */
// @ts-ignore: decorator
@inline function addNeighbours(row: usize, x: usize, width: usize, values: usize, padding: usize): void {
  if (x > 0 && x + 1 < width) {
    const to = row + (x - 1) * 12;
    v128.store(to, f32x4.add(v128.load(to), v128.load(values)));
    v128.store(to, f32x4.add(v128.load(to, 16), v128.load(values, 16)), 16);
    store<f32>(to, load<f32>(to, 32) + load<f32>(values, 32), 32);
    return;
  }
  for (let kx: usize = 0; kx < 3; kx++) {
    const column = inside(x + kx - 1, width, padding);
    if (column >= width) continue;
    const to = row + column * 12, from = values + kx * 12;
    store<f32>(to, load<f32>(to) + load<f32>(from));
    store<f32>(to, load<f32>(to, 4) + load<f32>(from, 4), 4);
    store<f32>(to, load<f32>(to, 8) + load<f32>(from, 8), 8);
  }
}
