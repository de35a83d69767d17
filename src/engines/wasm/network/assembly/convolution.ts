import { firstConvolution } from './first-layer';
import { poolRow } from './pooling';
import { panelProduct } from '../../runtime/assembly/matrix-products';
import { floorFor, smaller, wherePositive } from '../../runtime/assembly/simd';
import { inputTransform, outputTransform, POSITIONS, Tile, TILE_BYTES } from './winograd';

/** Arguments of `convolve`; the host writes them into memory, four bytes a field, in this order. */
@unmanaged
class ConvolutionArgs {
  input: usize; output: usize; filters: usize;
  /** [n], or 0 for none. */
  bias: usize;
  /**
   * [h][w][n], or 0 for none: outputs are 0 where it is not positive, as a ReLU's gradient is. It may be `output`
   * itself.
   */
  mask: usize;
  /** Not 0: inputs below 0 count as 0. */
  relu: usize;
  height: usize; width: usize; channelsIn: usize; channelsOut: usize;
  tilesX: usize; tilesY: usize; blockColumns: usize; blockRows: usize; blocksX: usize;
  /** [h / 2][w / 2][n], or 0 for none: the ReLU of the output, pooled by 2x2. A last odd row or column is ignored. */
  pooled: usize;
  /** Not 0: the mean, else the maximum. */
  average: usize;
  /**
   * The normalised image with a border, or 0: the input is then its first convolution, computed here and not
   * stored.
   */
  image: usize;
  /** Weights of the first convolution, panels [n/8][28][8]. */
  imageWeights: usize;
}

/** Bytes between planes: at distances of a power of two they would compete for the same sets of the cache. */
const PLANE_PAD: usize = 64;

/** Position of a block of tiles in the image and in scratch memory. Stored in scratch memory itself. */
@unmanaged
class Block {
  tileY: usize; tileX: usize; rows: usize; columns: usize;
  v: usize; strideV: usize; m: usize; strideM: usize; temp: usize; edge: usize;
  /** The four tiles that are transformed together. */
  group: usize;
  /** The first convolution at the block's pixels and those around them. */
  around: usize;
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
  b.group = scratch + 64;
  b.temp = b.group + 64;
  b.v = b.temp + 4096;
  b.m = b.v + POSITIONS * (most * s.channelsIn * 4 + PLANE_PAD);
  b.edge = b.m + POSITIONS * (most * s.channelsOut * 4 + PLANE_PAD);
  b.around = b.edge + 4 * POSITIONS * 4 * s.channelsIn;
  return b;
}

/**
 * 3x3 convolution, stride 1, zero padding, of one block of 4x4 tiles, which stays in cache while it is transformed,
 * multiplied and transformed back.
 */
export function convolve(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ConvolutionArgs>(args);
  const b = locate(s, item, scratch);
  transformInput(s, b);
  const tiles = (b.rows * b.columns + 3) & ~3, rowM = s.channelsOut << 2;
  let v = b.v, m = b.m, u = s.filters;
  for (let p: usize = 0; p < POSITIONS; p++) {
    panelProduct(v, u, m, rowM, tiles, s.channelsIn, s.channelsOut);
    v += b.strideV; m += b.strideM; u += s.channelsIn * rowM;
  }
  transformOutput(s, b);
}

function transformInput(s: ConvolutionArgs, b: Block): void {
  const channels = s.channelsIn, pixel = channels << 2, floor = floorFor(s.relu), tiles = b.rows * b.columns;
  const aroundColumns = b.columns * 4 + 2;
  if (s.image) firstConvolutionAround(s, b, aroundColumns);
  for (let first: usize = 0; first < tiles; first += 4) {
    for (let t: usize = 0; t < 4; t++) {
      // The last group may have fewer than four tiles: the last one is repeated.
      const i = smaller(first + t, tiles - 1), r = i / b.columns, c = i % b.columns;
      const tile = changetype<Tile>(b.group + t * TILE_BYTES);
      if (s.image) {
        tile.row = aroundColumns * pixel;
        tile.at = b.around + (r * 4 * aroundColumns + c * 4) * pixel;
      } else {
        findTile(s, tile, <i32>((b.tileY + r) * 4) - 1, <i32>((b.tileX + c) * 4) - 1, b.edge + t * POSITIONS * pixel);
      }
    }
    inputTransform(b.group, channels, b.v + first * pixel, b.strideV, b.temp, floor);
  }
}

/**
 * A tile whose first pixel is (y0, x0): in the input itself, or, where it reaches beyond it, as a copy at `edge` filled
 * up with zeros.
 */
function findTile(s: ConvolutionArgs, tile: Tile, y0: i32, x0: i32, edge: usize): void {
  const pixel = s.channelsIn << 2, row = s.width * pixel, height = s.height, width = s.width;
  if (y0 >= 0 && x0 >= 0 && y0 + 6 <= <i32>height && x0 + 6 <= <i32>width) {
    tile.row = row;
    tile.at = s.input + <usize>y0 * row + <usize>x0 * pixel;
    return;
  }
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 6; j++) {
      const y = y0 + i, x = x0 + j, to = edge + <usize>(i * 6 + j) * pixel;
      // As an unsigned number a negative coordinate is large, so one comparison checks both ends.
      if (<usize>y < height && <usize>x < width) memory.copy(to, s.input + <usize>y * row + <usize>x * pixel, pixel);
      else memory.fill(to, 0, pixel);
    }
  }
  tile.row = 6 * pixel;
  tile.at = edge;
}

/**
 * The first convolution at a block's pixels and those around them, [rows * 4 + 2][columns][k]; zero outside the image.
 */
function firstConvolutionAround(s: ConvolutionArgs, b: Block, columns: usize): void {
  const pixel = s.channelsIn << 2, imageRow = (s.width + 2) * 12, rows = b.rows * 4 + 2, bytes = columns * pixel;
  const left: usize = b.tileX == 0 ? 1 : 0, x0 = b.tileX * 4 - 1 + left;
  const inside = smaller(columns - left, s.width - x0);
  for (let r: usize = 0; r < rows; r++) {
    const y = b.tileY * 4 + r - 1, to = b.around + r * bytes;
    if (y >= s.height) {
      memory.fill(to, 0, bytes);
      continue;
    }
    const from = s.image + y * imageRow + x0 * 12;
    firstConvolution(from, imageRow, s.imageWeights, (inside + 3) & ~3, to + left * pixel, s.channelsIn);
    if (left) memory.fill(to, 0, pixel);
    if (left + inside < columns) memory.fill(to + (left + inside) * pixel, 0, (columns - left - inside) * pixel);
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
      const direct = rows == 4 && columns == 4 && s.mask == 0;
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
            v128.store(to, s.mask ? wherePositive(x, v128.load(to + mask)) : x);
          }
        }
      }
      if (s.pooled) {
        const half = s.width >> 1, to = s.pooled + ((y0 >> 1) * half + (x0 >> 1)) * pixel;
        for (let i: usize = 0; i < rows >> 1; i++) {
          poolRow(dst + i * 2 * row, row, pixel, columns >> 1, to + i * half * pixel, s.average);
        }
      }
    }
  }
}
