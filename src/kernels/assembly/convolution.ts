import { multiply } from './products';
import { floorFor, smaller, wherePositive } from './simd';
import { inputTransform, outputTransform, POSITIONS } from './winograd';

/** What a convolution needs; the host writes it into memory, four bytes a field, in this order. */
@unmanaged
class ConvolutionArgs {
  input: usize; output: usize; filters: usize;
  /** [n], or 0 for none. */
  bias: usize;
  /** [h][w][n], or 0 for none: outputs are 0 where it is not positive, as the gradient of a ReLU wants. */
  mask: usize;
  /** Not 0: inputs below 0 count as 0. */
  relu: usize;
  height: usize; width: usize; channelsIn: usize; channelsOut: usize;
  tilesX: usize; tilesY: usize; blockColumns: usize; blockRows: usize; blocksX: usize;
}

/** Bytes between planes, against conflicts of cache sets. */
const PLANE_PAD: usize = 64;

/** Where a block of tiles lies in the picture and in scratch memory. Held in scratch memory itself. */
@unmanaged
class Block {
  tileY: usize; tileX: usize; rows: usize; columns: usize;
  v: usize; strideV: usize; m: usize; strideM: usize; temp: usize; edge: usize;
}

function locate(s: ConvolutionArgs, item: usize, scratch: usize): Block {
  const b = changetype<Block>(scratch);
  b.tileY = item / s.blocksX * s.blockRows;
  b.tileX = item % s.blocksX * s.blockColumns;
  b.rows = smaller(s.blockRows, s.tilesY - b.tileY);
  b.columns = smaller(s.blockColumns, s.tilesX - b.tileX);
  const tiles = (b.rows * b.columns + 3) & ~3, most = (s.blockRows * s.blockColumns + 3) & ~3;
  b.strideV = tiles * s.channelsIn * 4 + PLANE_PAD;
  b.strideM = tiles * s.channelsOut * 4 + PLANE_PAD;
  b.temp = scratch + 64;
  b.v = b.temp + 1024;
  b.m = b.v + POSITIONS * (most * s.channelsIn * 4 + PLANE_PAD);
  b.edge = b.m + POSITIONS * (most * s.channelsOut * 4 + PLANE_PAD);
  return b;
}

/** 3x3 convolution, stride 1, zero padding, of one block of 4x4 tiles: its input is transformed, multiplied and transformed back in cache. */
export function convolve(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ConvolutionArgs>(args);
  const b = locate(s, item, scratch);
  transformInput(s, b);
  const tiles = (b.rows * b.columns + 3) & ~3, rowV = s.channelsIn << 2, rowM = s.channelsOut << 2;
  let v = b.v, m = b.m, u = s.filters;
  for (let p: usize = 0; p < POSITIONS; p++) {
    multiply(v, rowV, u, m, rowM, tiles, s.channelsIn, s.channelsOut);
    v += b.strideV; m += b.strideM; u += s.channelsIn * rowM;
  }
  transformOutput(s, b);
}

function transformInput(s: ConvolutionArgs, b: Block): void {
  const channels = s.channelsIn, pixel = channels << 2, row = s.width * pixel, height = s.height, width = s.width;
  const strideV = b.strideV, temp = b.temp, edge = b.edge, floor = floorFor(s.relu);
  for (let r: usize = 0; r < b.rows; r++) {
    for (let c: usize = 0; c < b.columns; c++) {
      const y0 = <i32>((b.tileY + r) * 4) - 1, x0 = <i32>((b.tileX + c) * 4) - 1;
      const dst = b.v + (r * b.columns + c) * pixel;
      if (y0 >= 0 && x0 >= 0 && y0 + 6 <= <i32>height && x0 + 6 <= <i32>width) {
        inputTransform(s.input + <usize>y0 * row + <usize>x0 * pixel, row, channels, dst, strideV, temp, floor);
        continue;
      }
      for (let i = 0; i < 6; i++) {
        for (let j = 0; j < 6; j++) {
          const y = y0 + i, x = x0 + j, to = edge + <usize>(i * 6 + j) * pixel;
          // Compared without sign, a negative coordinate is a large one.
          if (<usize>y < height && <usize>x < width) memory.copy(to, s.input + <usize>y * row + <usize>x * pixel, pixel);
          else memory.fill(to, 0, pixel);
        }
      }
      inputTransform(edge, 6 * pixel, channels, dst, strideV, temp, floor);
    }
  }
}

function transformOutput(s: ConvolutionArgs, b: Block): void {
  const pixel = s.channelsOut << 2, row = s.width * pixel, bias = s.bias, temp = b.temp, edge = temp + 384;
  const mask = s.mask ? s.mask - s.output : 0;
  for (let r: usize = 0; r < b.rows; r++) {
    for (let c: usize = 0; c < b.columns; c++) {
      const y0 = (b.tileY + r) * 4, x0 = (b.tileX + c) * 4;
      const src = b.m + (r * b.columns + c) * pixel, dst = s.output + y0 * row + x0 * pixel;
      const rows = smaller(4, s.height - y0), columns = smaller(4, s.width - x0);
      const direct = rows == 4 && columns == 4 && mask == 0;
      for (let ch: usize = 0; ch < pixel; ch += 16) {
        const add = bias ? v128.load(bias + ch) : f32x4.splat(0);
        if (direct) {
          outputTransform(src + ch, b.strideM, dst + ch, row, pixel, add, temp);
          continue;
        }
        outputTransform(src + ch, b.strideM, edge, 64, 16, add, temp);
        for (let i: usize = 0; i < rows; i++) {
          for (let j: usize = 0; j < columns; j++) {
            const to = dst + ch + i * row + j * pixel;
            const x = v128.load(edge + i * 64 + j * 16);
            v128.store(to, mask ? wherePositive(x, v128.load(to + mask)) : x);
          }
        }
      }
    }
  }
}
