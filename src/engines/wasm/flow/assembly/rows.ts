/** Bytes of a float, and of the four vectors that kernels work on at a time. */
export const FLOAT: usize = 4;
export const BLOCK: usize = 64;

/** Bytes of a row: a whole number of blocks. */
// @ts-ignore: decorator
@inline export function rowBytes(width: usize): usize {
  return (width * FLOAT + BLOCK - 1) & ~(BLOCK - 1);
}

/** Row y of a plane; beyond the border the nearest. */
// @ts-ignore: decorator
@inline export function rowAt(plane: usize, y: isize, height: usize, row: usize): usize {
  const inside = y < 0 ? 0 : <usize>y < height ? <usize>y : height - 1;
  return plane + inside * row;
}

/**
 * A row with copies of its first pixel before it, and of its last behind it up to the last block's end and `reach`
 * bytes further. @returns the address of the row's first pixel, `reach` bytes, whole vectors, behind `line`
 */
// @ts-ignore: decorator
@inline export function padded(from: usize, line: usize, width: usize, row: usize, reach: usize): usize {
  const at = line + reach;
  memory.copy(at, from, width * FLOAT);
  const first = v128.load32_splat(from), last = v128.load32_splat(from + (width - 1) * FLOAT);
  for (let i: usize = 0; i < reach; i += 16) v128.store(line + i, first);
  const end = at + row + reach;
  for (let i = at + width * FLOAT; i < end; i += 16) v128.store(i, last);
  return at;
}

/** The four columns from x on. */
// @ts-ignore: decorator
@inline export function columnsFrom(x: usize): v128 {
  return f32x4.add(f32x4.splat(<f32>x), f32x4(0, 1, 2, 3));
}
