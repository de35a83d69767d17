import type { Work } from '../image/in-turns';
import type { Matrix } from './matrix';

/** A colour as three numbers of some space, written to `into`. */
export type Conversion = (red: number, green: number, blue: number, into: Float64Array) => void;

/** Mean and population covariance of an image's colours. */
export interface Moments {
  readonly mean: readonly number[];
  readonly covariance: Matrix;
}

/** Pixels between two pauses of work. */
export const pixelsAtOnce = 16384;

/**
 * Mean and covariance of colours, in double precision. Sums are taken relative to the first pixel, so that images of
 * little contrast lose no digits.
 *
 * @param pixels RGB, row-major
 * @param convert into the space of the moments
 */
export function* momentsOf(pixels: Float32Array, convert: Conversion): Work<Moments> {
  const color = new Float64Array(3);
  convert(pixels[0], pixels[1], pixels[2], color);
  const [x0, y0, z0] = color;
  let [x, y, z, xx, xy, xz, yy, yz, zz] = new Float64Array(9);
  const count = pixels.length / 3;
  for (let i = 0; i < count; i++) {
    convert(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2], color);
    const [a, b, c] = [color[0] - x0, color[1] - y0, color[2] - z0];
    x += a;
    y += b;
    z += c;
    xx += a * a;
    xy += a * b;
    xz += a * c;
    yy += b * b;
    yz += b * c;
    zz += c * c;
    if (i % pixelsAtOnce === 0) yield;
  }
  const mean = [x / count, y / count, z / count];
  const squares = [
    [xx, xy, xz],
    [xy, yy, yz],
    [xz, yz, zz],
  ];
  return {
    mean: [mean[0] + x0, mean[1] + y0, mean[2] + z0],
    covariance: squares.map((row, i) => row.map((sum, j) => sum / count - mean[i] * mean[j])),
  };
}
