import { gaussianTaps } from './gaussian-taps';
import type { Displacements } from './lucas-kanade';
import type { Filter, Plane, Planes } from './planes';

/** Standard deviation in pixels of the window over which a match is compared with rest: small, for edges of motions. */
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
export function restWhereStill(
  planes: Planes,
  from: Plane,
  to: Plane,
  { across, down }: Displacements,
): void {
  planes.during((like) => {
    const [rest, atRest, moved] = [like(from), like(from), like(from)];
    const window = planes.filter(gaussianTaps(restDeviation));
    planes.valuesOf(rest).fill(0);
    match(planes, from, to, { across: rest, down: rest }, window, atRest);
    match(planes, from, to, { across, down }, window, moved);
    planes.run('keepWhereMoved', across, down, atRest, moved, tolerance, rounding);
  });
}

/** Standard deviation in pixels of the window over which matches of neighbours are compared. */
const neighbourDeviation = 1.2;
/** Distances in pixels of the neighbours whose displacements are tried, the farthest first. */
const distances = [8, 4, 2, 1];
/** A neighbour's displacement is taken if the mean square of its differences is less than this part of the own's. */
const better = 0.8;

/** Medians of nine at the end, which remove single wrong choices. */
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
export function takeNeighbours(planes: Planes, from: Plane, to: Plane, found: Displacements): void {
  const { across, down } = found;
  planes.during((like) => {
    const window = planes.filter(gaussianTaps(neighbourDeviation));
    const [own, theirs] = [like(from), like(from)];
    const other = { across: like(from), down: like(from) };
    match(planes, from, to, found, window, own);
    for (const distance of distances)
      for (const [x, y] of directions) {
        planes.shift(across, distance * x, distance * y, other.across);
        planes.shift(down, distance * x, distance * y, other.down);
        match(planes, from, to, other, window, theirs);
        planes.run('takeBetter', across, down, own, other.across, other.down, theirs, better);
      }
    for (let i = 0; i < medians; i++) for (const plane of [across, down]) planes.medianOfNine(plane);
  });
}

/** Mean squares of the differences of displaced pixels, over a window. */
function match(
  planes: Planes,
  from: Plane,
  to: Plane,
  { across, down }: Displacements,
  window: Filter,
  into: Plane,
): void {
  planes.run('squares', from, to, across, down, into);
  planes.blur(into, window, into);
}
