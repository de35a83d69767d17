import { blur, type Displacements, gaussianTaps, type Plane, planeLike, sample } from './plane';

/** Standard deviation in pixels of the window over which two matches are compared: small, for the edges of motions. */
const windowDeviation = 1.5;
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
export function restWhereStill(from: Plane, to: Plane, { across, down }: Displacements): void {
  const { width, height, values } = from;
  const count = width * height;
  const [atRest, moved] = [new Float32Array(count), new Float32Array(count)];
  for (let y = 0, k = 0; y < height; y++)
    for (let x = 0; x < width; x++, k++) {
      atRest[k] = (to.values[k] - values[k]) ** 2;
      moved[k] = (sample(to, x + across.values[k], y + down.values[k]) - values[k]) ** 2;
    }
  const taps = gaussianTaps(windowDeviation);
  const scratch = new Float32Array(count);
  for (const squares of [atRest, moved]) blur(planeLike(from, squares), taps, scratch, squares);
  for (let k = 0; k < count; k++) {
    if (atRest[k] > tolerance * moved[k] + rounding) continue;
    across.values[k] = 0;
    down.values[k] = 0;
  }
}
