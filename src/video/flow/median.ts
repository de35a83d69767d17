import type { Plane } from './plane';

/**
 * Replaces every value but those of the border by the median of the nine around it.
 *
 * @param scratch of the plane's length
 */
export function medianOfNine({ values, width, height }: Plane, scratch: Float32Array): void {
  scratch.set(values);
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const k = y * width + x;
      // The median of three columns' sorted values is that of their largest minimum, median of medians and smallest
      // maximum (Paeth 1990).
      const [a, b, c] = [k - 1, k, k + 1];
      const low = Math.max(least(scratch, a, width), least(scratch, b, width), least(scratch, c, width));
      const high = Math.min(most(scratch, a, width), most(scratch, b, width), most(scratch, c, width));
      const middle = medianOfThree(
        middleOf(scratch, a, width),
        middleOf(scratch, b, width),
        middleOf(scratch, c, width),
      );
      values[k] = medianOfThree(low, middle, high);
    }
}

const least = (v: Float32Array, k: number, width: number) => Math.min(v[k - width], v[k], v[k + width]);
const most = (v: Float32Array, k: number, width: number) => Math.max(v[k - width], v[k], v[k + width]);
const middleOf = (v: Float32Array, k: number, width: number) =>
  medianOfThree(v[k - width], v[k], v[k + width]);

const medianOfThree = (a: number, b: number, c: number) =>
  Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
