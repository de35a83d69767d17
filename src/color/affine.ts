import type { Work } from '../image/in-turns';
import type { Matrix } from './matrix';
import { type Conversion, pixelsAtOnce } from './moments';

/**
 * The map x -> to + matrix (x - from) of colours, in a space.
 *
 * @param pixels RGB, row-major
 * @param toSpace conversion to the space, `fromSpace` back to RGB
 * @returns RGB, row-major, not clipped
 */
export function* affine(
  pixels: Float32Array,
  matrix: Matrix,
  from: readonly number[],
  to: readonly number[],
  toSpace: Conversion,
  fromSpace: Conversion,
): Work<Float32Array> {
  const moved = new Float32Array(pixels.length);
  const color = new Float64Array(3);
  const [[m00, m01, m02], [m10, m11, m12], [m20, m21, m22]] = matrix;
  for (let i = 0; i < pixels.length; i += 3) {
    toSpace(pixels[i], pixels[i + 1], pixels[i + 2], color);
    const [a, b, c] = [color[0] - from[0], color[1] - from[1], color[2] - from[2]];
    fromSpace(
      to[0] + m00 * a + m01 * b + m02 * c,
      to[1] + m10 * a + m11 * b + m12 * c,
      to[2] + m20 * a + m21 * b + m22 * c,
      color,
    );
    moved.set(color, i);
    if (i % (3 * pixelsAtOnce) === 0) yield;
  }
  return moved;
}
