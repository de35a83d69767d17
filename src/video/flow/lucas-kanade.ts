import { medianOfNine } from './median';
import { blur, type Displacements, gaussianTaps, halved, type Plane, planeLike, sample } from './plane';
import { restWhereStill } from './still';

/** Standard deviation in pixels of the blur before anything is compared, against noise. */
const smoothing = 0.8;
/** Standard deviation in pixels of the window in which one displacement is looked for. */
const windowDeviation = 2;
/** Steps at each size of the pyramid. */
const steps = 5;
/** A pyramid's smallest size has a shorter side of at least so many pixels. */
const leastSide = 12;
/**
 * Added to the squares of derivatives, of pixels in [0,1] and their means over a window: where a window has less
 * structure than this, the displacement of the larger window, one size further up, stays.
 */
const damping = 2e-5;

/**
 * Dense optical flow: iterated least squares in a window around each pixel (Lucas & Kanade 1981), from coarse to fine
 * on a pyramid of halves (Bouguet 2000). After each step displacements become the median of their neighbours', which
 * removes single wrong ones and keeps edges (Sun, Roth & Black 2010). At the end those become 0 that only fit noise.
 *
 * @returns for each pixel of `from` where it is in `to`: from(x) is nearly to(x + displacement)
 */
export function lucasKanade(from: Plane, to: Plane): Displacements {
  const pairs = [{ from: smoothed(from), to: smoothed(to) }];
  for (;;) {
    const last = pairs[pairs.length - 1];
    if (Math.min(last.from.width, last.from.height) < 2 * leastSide) break;
    pairs.push({ from: halved(last.from), to: halved(last.to) });
  }
  let found: Displacements | undefined;
  for (const pair of pairs.reverse()) {
    found = found
      ? { across: doubled(found.across, pair.from), down: doubled(found.down, pair.from) }
      : { across: planeLike(pair.from), down: planeLike(pair.from) };
    refine(pair.from, pair.to, found);
  }
  const { from: last, to: other } = pairs[pairs.length - 1];
  restWhereStill(last, other, found as Displacements);
  return found as Displacements;
}

function smoothed(plane: Plane): Plane {
  const result = planeLike(plane);
  blur(plane, gaussianTaps(smoothing), new Float32Array(plane.values.length), result.values);
  return result;
}

/** Displacements of half the size, at the size of `like`. */
function doubled(plane: Plane, like: Plane): Plane {
  const result = planeLike(like);
  for (let y = 0, k = 0; y < like.height; y++)
    for (let x = 0; x < like.width; x++, k++) result.values[k] = 2 * sample(plane, x / 2, y / 2);
  return result;
}

/** Improves displacements at one size, in place. */
function refine(from: Plane, to: Plane, { across, down }: Displacements): void {
  const { width, height, values } = from;
  const count = width * height;
  const taps = gaussianTaps(windowDeviation);
  const scratch = new Float32Array(count);
  const [dx, dy] = derivatives(from);
  const [xx, xy, yy] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
  for (let k = 0; k < count; k++) {
    xx[k] = dx[k] * dx[k];
    xy[k] = dx[k] * dy[k];
    yy[k] = dy[k] * dy[k];
  }
  for (const product of [xx, xy, yy]) blur(planeLike(from, product), taps, scratch, product);
  const [xt, yt] = [new Float32Array(count), new Float32Array(count)];
  for (let step = 0; step < steps; step++) {
    for (let y = 0, k = 0; y < height; y++)
      for (let x = 0; x < width; x++, k++) {
        const [atX, atY] = [x + across.values[k], y + down.values[k]];
        // What has left the picture says nothing.
        const inside = atX >= 0 && atY >= 0 && atX <= width - 1 && atY <= height - 1;
        const change = inside ? sample(to, atX, atY) - values[k] : 0;
        xt[k] = dx[k] * change;
        yt[k] = dy[k] * change;
      }
    blur(planeLike(from, xt), taps, scratch, xt);
    blur(planeLike(from, yt), taps, scratch, yt);
    for (let k = 0; k < count; k++) {
      const [a, b, c] = [xx[k] + damping, xy[k], yy[k] + damping];
      const determinant = a * c - b * b;
      // A linear model holds for about a pixel.
      across.values[k] += within1((b * yt[k] - c * xt[k]) / determinant);
      down.values[k] += within1((b * xt[k] - a * yt[k]) / determinant);
    }
    medianOfNine(across, scratch);
    medianOfNine(down, scratch);
  }
}

const within1 = (value: number) => Math.max(-1, Math.min(1, value));

/** Derivatives to the right and down, by the differences [1 -8 0 8 -1] / 12. */
function derivatives({ values, width, height }: Plane): readonly [Float32Array, Float32Array] {
  const [dx, dy] = [new Float32Array(values.length), new Float32Array(values.length)];
  const column = (x: number) => Math.min(width - 1, Math.max(0, x));
  const row = (y: number) => Math.min(height - 1, Math.max(0, y)) * width;
  for (let y = 0, k = 0; y < height; y++) {
    const [up2, up1, at, down1, down2] = [row(y - 2), row(y - 1), row(y), row(y + 1), row(y + 2)];
    for (let x = 0; x < width; x++, k++) {
      const [left2, left1, right1, right2] = [column(x - 2), column(x - 1), column(x + 1), column(x + 2)];
      dx[k] =
        (8 * (values[at + right1] - values[at + left1]) - values[at + right2] + values[at + left2]) / 12;
      dy[k] = (8 * (values[down1 + x] - values[up1 + x]) - values[down2 + x] + values[up2 + x]) / 12;
    }
  }
  return [dx, dy];
}
