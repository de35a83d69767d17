/**
 * An octave of `pyramidPreconditioner` at an image size, with the diagonal by which it leaves a constant image
 * unchanged.
 */
export interface PyramidBand {
  readonly height: number;
  readonly width: number;
  /** Pixel [y][x] of the pooled sums counts rows[y] * columns[x] times: weight N^-1. */
  readonly rows: Float32Array;
  readonly columns: Float32Array;
}

/** The bands of a pyramid, finest first: each half the size of the one before, rounded up, until one pixel is left. */
export function pyramidBands(
  height: number,
  width: number,
  { exponent, levels }: { readonly exponent: number; readonly levels: number },
): readonly PyramidBand[] {
  const bands: PyramidBand[] = [];
  // U^T of an image of ones is the outer product of these; it is the diagonal of N.
  let [rows, columns] = [ones(height), ones(width)];
  for (let k = 1; k <= levels && (rows.length > 1 || columns.length > 1); k++) {
    [rows, columns] = [poolSums(rows), poolSums(columns)];
    const weight = 2 ** (exponent * k) - 2 ** (exponent * (k - 1));
    bands.push({
      height: rows.length,
      width: columns.length,
      rows: rows.map((sum) => weight / sum),
      columns: columns.map((sum) => 1 / sum),
    });
  }
  return bands;
}

/** Weights of a coarse pixel in the four fine pixels around it, along one axis. */
export const tent = [0.25, 0.75, 0.75, 0.25];

/** Pooling along one axis: an odd side is padded with a zero, and the border is mirrored. */
function poolSums(fine: Float32Array): Float32Array {
  const even = Float32Array.from({ length: fine.length + (fine.length % 2) }, (_, i) => fine[i] ?? 0);
  const at = (i: number): number => even[Math.min(Math.max(i, 0), even.length - 1)];
  return Float32Array.from({ length: even.length / 2 }, (_, i) =>
    tent.reduce((sum, share, j) => sum + share * at(2 * i - 1 + j), 0),
  );
}

const ones = (length: number): Float32Array => new Float32Array(length).fill(1);
