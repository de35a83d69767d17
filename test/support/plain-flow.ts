// Optical flow in plain TypeScript and double precision: what the kernels of src/engines/wasm/flow compute, one step
// after the other. Tests compare the two.
import type { RgbPicture } from '../../src/engines/wasm/flow';

/** Values of a picture's pixels, one each, row by row. */
export interface Plane {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** A displacement of each pixel, to the right and down, in pixels. */
interface Displacements {
  readonly across: Plane;
  readonly down: Plane;
}

/** A plane of zeros, or of given values, of the size of another. */
const planeLike = (
  { width, height }: Plane,
  values: Float32Array = new Float32Array(width * height),
): Plane => ({
  values,
  width,
  height,
});

/** Luma of RGB pixels by the weights of Rec. 601. */
function lumaOf(rgb: ArrayLike<number>, width: number, height: number): Plane {
  const values = new Float32Array(width * height);
  for (let k = 0; k < values.length; k++)
    values[k] = 0.299 * rgb[3 * k] + 0.587 * rgb[3 * k + 1] + 0.114 * rgb[3 * k + 2];
  return { values, width, height };
}

/** Taps of a Gaussian of sum 1 from its middle on, to the third standard deviation. */
export function gaussianTaps(deviation: number): readonly number[] {
  const radius = Math.ceil(3 * deviation);
  const taps = Array.from({ length: radius + 1 }, (_, i) => Math.exp((-i * i) / (2 * deviation ** 2)));
  const sum = taps.reduce((total, tap, i) => total + (i === 0 ? tap : 2 * tap), 0);
  return taps.map((tap) => tap / sum);
}

/**
 * Convolves a plane with a symmetric filter along rows and columns. Beyond the border lies the nearest pixel.
 *
 * @param taps of the filter from its middle on
 * @param scratch of the plane's length; receives rows
 * @param to receives the result; may be the plane's own values
 */
export function blur(
  { values, width, height }: Plane,
  taps: readonly number[],
  scratch: Float32Array,
  to: Float32Array,
): void {
  const radius = taps.length - 1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const inner = Math.max(radius, width - radius);
    for (let x = 0; x < width; x++) {
      let sum = taps[0] * values[row + x];
      if (x >= radius && x < inner)
        for (let i = 1; i <= radius; i++) sum += taps[i] * (values[row + x - i] + values[row + x + i]);
      else
        for (let i = 1; i <= radius; i++)
          sum += taps[i] * (values[row + Math.max(0, x - i)] + values[row + Math.min(width - 1, x + i)]);
      scratch[row + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const middle = taps[0];
    for (let x = 0; x < width; x++) to[row + x] = middle * scratch[row + x];
    for (let i = 1; i <= radius; i++) {
      const tap = taps[i];
      const above = Math.max(0, y - i) * width;
      const below = Math.min(height - 1, y + i) * width;
      for (let x = 0; x < width; x++) to[row + x] += tap * (scratch[above + x] + scratch[below + x]);
    }
  }
}

/** A plane at half its size, rounded up: every other pixel after a blur. */
function halved(plane: Plane): Plane {
  const { width, height } = plane;
  const blurred = planeLike(plane);
  blur(plane, binomial, new Float32Array(width * height), blurred.values);
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  const values = new Float32Array(w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) values[y * w + x] = blurred.values[2 * y * width + 2 * x];
  return { values, width: w, height: h };
}

/** [1 4 6 4 1] / 16 from its middle on. */
const binomial = [6 / 16, 4 / 16, 1 / 16];

/** The value at a position between pixels, bilinear; beyond the border that of the border. */
function sample({ values, width, height }: Plane, x: number, y: number): number {
  const cx = Math.min(width - 1, Math.max(0, x));
  const cy = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
  const x1 = Math.min(width - 1, x0 + 1);
  const [top, bottom] = [y0 * width, Math.min(height - 1, y0 + 1) * width];
  const [fx, fy] = [cx - x0, cy - y0];
  const upper = values[top + x0] + fx * (values[top + x1] - values[top + x0]);
  const lower = values[bottom + x0] + fx * (values[bottom + x1] - values[bottom + x0]);
  return upper + fy * (lower - upper);
}

/**
 * Replaces every value but those of the border by the median of the nine around it.
 *
 * @param scratch of the plane's length
 */
function medianOfNine({ values, width, height }: Plane, scratch: Float32Array): void {
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

/** Standard deviation in pixels of the window over which a match is compared with rest. */
const restDeviation = 1.5;
/**
 * How many times the mean square of differences may be larger at rest: a displacement was fitted to the noise of its
 * window too, and so matches better than none.
 */
const tolerance = 2;
/** Mean square of differences that rounding to 8 bits alone makes: half a step. */
const rounding = (0.5 / 255) ** 2;

/**
 * Sets displacements to exactly 0 where the pictures match about as well at rest, in place: what stands still in a
 * noisy film would otherwise be resampled in each frame by small displacements, which blurs it and makes it tremble.
 */
function restWhereStill(from: Plane, to: Plane, { across, down }: Displacements): void {
  const { width, height, values } = from;
  const count = width * height;
  const [atRest, moved] = [new Float32Array(count), new Float32Array(count)];
  for (let y = 0, k = 0; y < height; y++)
    for (let x = 0; x < width; x++, k++) {
      atRest[k] = (to.values[k] - values[k]) ** 2;
      moved[k] = (sample(to, x + across.values[k], y + down.values[k]) - values[k]) ** 2;
    }
  const taps = gaussianTaps(restDeviation);
  const scratch = new Float32Array(count);
  for (const squares of [atRest, moved]) blur(planeLike(from, squares), taps, scratch, squares);
  for (let k = 0; k < count; k++) {
    if (atRest[k] > tolerance * moved[k] + rounding) continue;
    across.values[k] = 0;
    down.values[k] = 0;
  }
}

/** Standard deviation in pixels of the window over which matches of neighbours are compared. */
const neighbourDeviation = 1.2;
/** Distances in pixels of the neighbours whose displacements are tried, the farthest first. */
const distances = [8, 4, 2, 1];
/** A neighbour's displacement is taken if the mean square of its differences is less than this part of the own's. */
const better = 0.8;

/** Medians of nine at the end. */
const medians = 2;

const directions = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
] as const;

/**
 * Gives pixels the displacement of a neighbour that matches better there, in place. Around an object that moves, the
 * windows of least squares see both motions, and their displacements are of neither; some pixels further on they are
 * of one.
 */
function takeNeighbours(from: Plane, to: Plane, { across, down }: Displacements): void {
  const { width, height } = from;
  const taps = gaussianTaps(neighbourDeviation);
  const scratch = new Float32Array(width * height);
  const differences = new Float32Array(width * height);
  const [otherAcross, otherDown] = [new Float32Array(width * height), new Float32Array(width * height)];
  const own = new Float32Array(width * height);
  const measure = (x: Float32Array, y: Float32Array, into: Float32Array) => {
    for (let row = 0, k = 0; row < height; row++)
      for (let column = 0; column < width; column++, k++)
        into[k] = (sample(to, column + x[k], row + y[k]) - from.values[k]) ** 2;
    blur(planeLike(from, into), taps, scratch, into);
  };
  measure(across.values, down.values, own);
  for (const distance of distances)
    for (const [dx, dy] of directions) {
      for (let row = 0, k = 0; row < height; row++) {
        const fromRow = Math.min(height - 1, Math.max(0, row + dy * distance)) * width;
        for (let column = 0; column < width; column++, k++) {
          const at = fromRow + Math.min(width - 1, Math.max(0, column + dx * distance));
          otherAcross[k] = across.values[at];
          otherDown[k] = down.values[at];
        }
      }
      measure(otherAcross, otherDown, differences);
      for (let k = 0; k < own.length; k++) {
        if (differences[k] >= better * own[k]) continue;
        own[k] = differences[k];
        across.values[k] = otherAcross[k];
        down.values[k] = otherDown[k];
      }
    }
  for (let i = 0; i < medians; i++) for (const plane of [across, down]) medianOfNine(plane, scratch);
}

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
 * removes single wrong ones and keeps edges (Sun, Roth & Black 2010). At the end pixels take
 * displacements of neighbours that match better, and those become 0 that only fit noise.
 *
 * @returns for each pixel of `from` where it is in `to`: from(x) is nearly to(x + displacement)
 */
function lucasKanade(from: Plane, to: Plane): Displacements {
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
  takeNeighbours(last, other, found as Displacements);
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

/** Displacements [height][width][2] between two RGB pictures of one size, as `computeFlows` gives them. */
export function plainFlow(first: RgbPicture, second: RgbPicture): Float32Array {
  const [from, to] = [first, second].map(({ rgb, width, height }) => lumaOf(rgb, width, height));
  const { across, down } = lucasKanade(from, to);
  return Float32Array.from({ length: 2 * across.values.length }, (_, i) =>
    i % 2 === 0 ? across.values[i >> 1] : down.values[i >> 1],
  );
}
