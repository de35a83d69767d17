import { inputTransform, outputTransform, POSITIONS, Tile, TILE, TILE_BYTES } from '../../network/assembly/winograd';
import { panelProduct } from '../../runtime/assembly/matrix-products';
import { smaller } from '../../runtime/assembly/simd';
import { ConvolutionArgs, writeRow } from './convolution';
import { addMoments } from './moments';
import { readWindowRow, Ring, RING_BYTES, Window } from './window';

/** Bytes between planes: at distances of a power of two they would compete for the same sets of the cache. */
const PLANE_PAD: usize = 64;

/**
 * A band of the outputs of a 3x3 convolution with stride 1 by Winograd's F(4x4, 3x3): what `generatorConvolution`
 * computes, with a quarter of the multiplications. `weights` are filters of `KernelRunner.filters`, and the window has
 * six rows and columns.
 */
export function generatorWinograd(args: usize, item: usize, scratch: usize): void {
  const s = changetype<ConvolutionArgs>(args), w = changetype<Window>(args);
  const y0 = s.first + item / s.itemsX * s.bandRows, x0 = item % s.itemsX * s.bandColumns;
  const rows = smaller(s.bandRows, s.end - y0), columns = smaller(s.bandColumns, s.width - x0);
  const k = w.reader.channels, n = s.channels, pixel = k << 2, rowM = n << 2;
  const tilesX = (columns + 3) >> 2, tiles = (tilesX + 3) & ~3;
  const ring = changetype<Ring>(scratch);
  ring.y = <i32>y0 - w.padY;
  ring.x = <i32>x0 - w.padX;
  ring.columns = tilesX * 4 + 2;
  const group = scratch + RING_BYTES, temp = group + 64, read = temp + 4096, readRow = ring.columns * pixel;
  const v = read + TILE * readRow, strideV = tiles * pixel + PLANE_PAD;
  const m = v + POSITIONS * strideV, strideM = tiles * rowM + PLANE_PAD;
  const line = m + POSITIONS * strideM, lineRow = tilesX * 4 * rowM;
  const moments = s.moments ? s.moments + item * n * 16 : 0, nothing = f32x4.splat(-Infinity), zero = f32x4.splat(0);
  if (moments) memory.fill(moments, 0, n * 16);
  for (let y: usize = 0; y < rows; y += 4) {
    // Two rows of the tiles above are those of these tiles too.
    if (y) memory.copy(read, read + 4 * readRow, 2 * readRow);
    for (let r: usize = y ? 2 : 0; r < TILE; r++) readWindowRow(ring, w, y + r, read + r * readRow);
    for (let first: usize = 0; first < tiles; first += 4) {
      for (let t: usize = 0; t < 4; t++) {
        const tile = changetype<Tile>(group + t * TILE_BYTES);
        tile.row = readRow;
        // The last group may have fewer than four tiles: the last one is repeated.
        tile.at = read + smaller(first + t, tilesX - 1) * 4 * pixel;
      }
      inputTransform(group, k, v + first * pixel, strideV, temp, nothing);
    }
    for (let p: usize = 0; p < POSITIONS; p++)
      panelProduct(v + p * strideV, s.weights + p * k * rowM, m + p * strideM, rowM, tiles, k, n);
    for (let t: usize = 0; t < tilesX; t++) {
      for (let c: usize = 0; c < rowM; c += 16)
        outputTransform(m + t * rowM + c, strideM, line + t * 4 * rowM + c, lineRow, rowM, zero, temp);
    }
    for (let r: usize = 0, last = smaller(4, rows - y); r < last; r++) {
      const from = line + r * lineRow;
      writeRow(s, from, columns, s.output + (y0 + y + r) * s.row + x0 * s.pixel);
      if (moments) addMoments(from, columns, n, moments);
    }
  }
}
