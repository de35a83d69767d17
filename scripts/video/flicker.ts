import type { DrawnFrame } from './synthetic-film';

/** Flicker of a film: see {@link flickerOf}. */
export interface Flicker {
  /** Where the background is. */
  readonly still: number;
  /** On the discs. */
  readonly moving: number;
}

/**
 * Mean over pixels, colours and pairs of consecutive frames of the squared difference between a frame and the one
 * before, moved by the true motion; over the pixels that both show.
 *
 * @param painted RGB in [0,1] of each frame
 */
export function flickerOf(
  painted: readonly Float32Array[],
  film: readonly DrawnFrame[],
  width: number,
): Flicker {
  const sums = { still: 0, moving: 0 };
  const counts = { still: 0, moving: 0 };
  for (let t = 1; t < painted.length; t++) {
    const { backward, seenBefore, moving } = film[t];
    const [now, before] = [painted[t], painted[t - 1]];
    const height = now.length / 3 / width;
    for (let k = 0; k < width * height; k++) {
      if (seenBefore[k] === 0) continue;
      const area = moving[k] === 1 ? 'moving' : 'still';
      const [x, y] = [(k % width) + backward[2 * k], Math.floor(k / width) + backward[2 * k + 1]];
      for (let c = 0; c < 3; c++) {
        sums[area] += (now[3 * k + c] - between(before, width, height, x, y, c)) ** 2;
        counts[area]++;
      }
    }
  }
  return { still: sums.still / counts.still, moving: sums.moving / counts.moving };
}

/** A colour between pixels, bilinear. */
function between(rgb: Float32Array, width: number, height: number, x: number, y: number, c: number): number {
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const at = (column: number, row: number) =>
    rgb[3 * (Math.min(height - 1, row) * width + Math.min(width - 1, column)) + c];
  const [fx, fy] = [x - x0, y - y0];
  const upper = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
  const lower = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx;
  return upper * (1 - fy) + lower * fy;
}
