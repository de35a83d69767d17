import { multiply } from './products';
import { smaller } from './simd';

/** What the first convolution needs, either way. Its three channels in are too few for Winograd's vectors of four. */
@unmanaged
class FirstLayerArgs {
  /** Forward: the normalised image with a border of zeros, [h + 2][w + 2][3]. Backward: the gradient of the layer's output, [h][w][64]. */
  input: usize;
  /** Forward: [h][w][n]. Backward: the gradient of the image, [h][w][3]. */
  output: usize;
  /** Forward: panels [n/8][28][8], the last row the bias. Backward: for each row of the kernel, panels [2][n][8] of its nine columns (kx, c). */
  weights: usize;
  height: usize; width: usize; channels: usize;
}

/** Pixels that are gathered before a product. */
const CHUNK: usize = 64;

/** One row of the first convolution: patches of 3x3x3 values and a 1 for the bias, times the weights. */
export function firstForward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FirstLayerArgs>(args);
  const row = (s.width + 2) * 12, pixel = s.channels << 2;
  for (let x0: usize = 0; x0 < s.width; x0 += CHUNK) {
    const pixels = smaller(CHUNK, s.width - x0), whole = (pixels + 3) & ~3;
    for (let i: usize = 0; i < pixels; i++) {
      const from = s.input + item * row + (x0 + i) * 12, to = scratch + i * 112;
      for (let y: usize = 0; y < 3; y++) memory.copy(to + y * 36, from + y * row, 36);
      store<f32>(to, 1, 108);
    }
    const out = scratch + CHUNK * 112;
    multiply(scratch, 112, s.weights, out, pixel, whole, 28, s.channels);
    memory.copy(s.output + (item * s.width + x0) * pixel, out, pixels * pixel);
  }
}

/** One row of the image's gradient: for each row of the kernel, the gradient's row above, at or below times the weights, shifted by column. */
export function firstBackward(args: usize, item: usize, scratch: usize): void {
  const s = changetype<FirstLayerArgs>(args);
  const width = s.width, pixel = s.channels << 2, to = s.output + item * width * 12, panels = (s.channels * 16) << 2;
  memory.fill(to, 0, width * 12);
  for (let ky: usize = 0; ky < 3; ky++) {
    const y = item + 1 - ky;
    // Compared without sign, -1 is a large one.
    if (y >= s.height) continue;
    for (let x0: usize = 0; x0 < width; x0 += CHUNK) {
      const pixels = smaller(CHUNK, width - x0), whole = pixels & ~3;
      const from = s.input + (y * width + x0) * pixel, products = scratch + 4 * pixel;
      multiply(from, pixel, s.weights + ky * panels, products, 64, whole, s.channels, 16);
      if (whole < pixels) {
        memory.copy(scratch, from + whole * pixel, (pixels - whole) * pixel);
        multiply(scratch, pixel, s.weights + ky * panels, products + whole * 64, 64, 4, s.channels, 16);
      }
      for (let i: usize = 0; i < pixels; i++) {
        for (let kx: usize = 0; kx < 3; kx++) {
          const x = x0 + i + kx - 1;
          if (x >= width) continue;
          const p = to + x * 12, q = products + i * 64 + kx * 12;
          store<f32>(p, load<f32>(p) + load<f32>(q));
          store<f32>(p, load<f32>(p, 4) + load<f32>(q, 4), 4);
          store<f32>(p, load<f32>(p, 8) + load<f32>(q, 8), 8);
        }
      }
    }
  }
}
