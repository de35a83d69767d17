import { Reader, readPixels } from './reader';

/** The rows of a reader that a convolution's window covers, with the padding beyond its border. */
@unmanaged
export class Window {
  reader: Reader;
  /** Rows and columns of the kernel. */
  rows: usize; columns: usize;
  stride: usize;
  /** Rows above the first and columns before the first that the first window covers; negative ones are left out. */
  padY: i32; padX: i32;
  /** 0: zeros; 1: the nearest pixel; 2: the mirror image about the outermost pixel. */
  padding: usize;
}

/** Where a band's rows lie: a ring of as many as the kernel has. Stored in scratch memory. */
@unmanaged
export class Ring {
  /** Address of the first slot, and bytes of each. */
  slots: usize; bytes: usize;
  /** The first row and column, which may lie beyond the border, and columns to read. */
  y: i32; x: i32; columns: usize;
  /** Rows that have been read. */
  filled: usize;
}

/** Bytes of a {@link Ring}. */
export const RING_BYTES: usize = 32;

/**
 * Prepares a ring for windows of a band of outputs: `columns` of them, from (y, x) on.
 * @returns the address behind its slots
 */
export function startRing(ring: Ring, w: Window, slots: usize, y: usize, x: usize, columns: usize): usize {
  ring.slots = slots;
  // Groups of eight outputs read further columns, whose results are not used, and four pixels of three channels.
  ring.bytes = (((columns + 7) * w.stride + w.columns + 4) * w.reader.channels * 4 + 63) & ~63;
  ring.y = <i32>(y * w.stride) - w.padY;
  ring.x = <i32>(x * w.stride) - w.padX;
  ring.columns = (columns - 1) * w.stride + w.columns;
  ring.filled = 0;
  return slots + ring.bytes * w.rows;
}

/**
 * Reads on up to the rows of the window of output row `row` of the band, and writes the addresses of these rows to
 * `table`.
 */
export function fillRing(ring: Ring, w: Window, row: usize, table: usize): void {
  // Every other output of a kernel of one row, spread with stride 2, has no window.
  if (w.rows == 0) return;
  const first = row * w.stride, end = first + w.rows;
  for (let r = ring.filled; r < end; r++) readWindowRow(ring, w, r, ring.slots + r % w.rows * ring.bytes);
  ring.filled = end;
  for (let k: usize = 0; k < w.rows; k++) store<usize>(table + (k << 2), ring.slots + (first + k) % w.rows * ring.bytes);
}

/** Reads row `r` of a band's windows, with the padding beyond the border. */
export function readWindowRow(ring: Ring, w: Window, r: usize, to: usize): void {
  const reader = w.reader, pixel = reader.channels << 2;
  const y = inside(ring.y + <i32>r, <i32>reader.height, w.padding);
  if (y < 0) {
    memory.fill(to, 0, ring.columns * pixel);
    return;
  }
  const width = <i32>reader.width, end = ring.x + <i32>ring.columns;
  let x = ring.x;
  while (x < end) {
    if (x >= 0 && x < width) {
      const count = <usize>((end < width ? end : width) - x);
      readPixels(reader, <usize>y, <usize>x, count, to);
      x += <i32>count;
      to += count * pixel;
      continue;
    }
    const column = inside(x, width, w.padding);
    if (column < 0) memory.fill(to, 0, pixel);
    else readPixels(reader, <usize>y, <usize>column, 1, to);
    x++;
    to += pixel;
  }
}

/** The row or column that stands at `at`; negative where zeros do. */
// @ts-ignore: decorator
@inline export function inside(at: i32, size: i32, padding: usize): i32 {
  if (<u32>at < <u32>size) return at;
  if (padding == 0) return -1;
  const last = size - 1;
  if (padding == 1) return at < 0 ? 0 : last;
  const mirrored = at < 0 ? -at : 2 * last - at;
  return mirrored < 0 ? 0 : mirrored > last ? last : mirrored;
}
