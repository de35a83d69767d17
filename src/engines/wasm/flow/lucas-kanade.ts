import { gaussianTaps } from './gaussian-taps';
import type { Filter, Plane, Planes } from './planes';

/** A displacement of each pixel, to the right and down, in pixels. */
export interface Displacements {
  readonly across: Plane;
  readonly down: Plane;
}

/** Standard deviation in pixels of the window in which one displacement is looked for. */
const windowDeviation = 2;
/** Steps at each size of the pyramid. */
const steps = 5;
/**
 * Added to the squares of derivatives, of pixels in [0,1] and their means over a window: where a window has less
 * structure than this, the displacement of the larger window, one size further up, stays.
 */
const damping = 2e-5;

/**
 * Dense optical flow: iterated least squares in a window around each pixel (Lucas & Kanade 1981), from coarse to fine
 * on a pyramid of halves (Bouguet 2000). After each step displacements become the median of their neighbours', which
 * removes single wrong ones and keeps edges (Sun, Roth & Black 2010).
 *
 * @param from a picture and its halves, the largest first
 * @param to another picture and its halves
 * @returns for each pixel of `from` where it is in `to`: from(x) is nearly to(x + displacement)
 */
export function lucasKanade(planes: Planes, from: readonly Plane[], to: readonly Plane[]): Displacements {
  const window = planes.filter(gaussianTaps(windowDeviation));
  let found: Displacements | undefined;
  for (let level = from.length - 1; level >= 0; level--) {
    const next = { across: planes.keep(from[level]), down: planes.keep(from[level]) };
    if (found) {
      planes.run('doubled', next.across, found.across);
      planes.run('doubled', next.down, found.down);
    }
    refine(planes, from[level], to[level], next, window);
    found = next;
  }
  return found as Displacements;
}

/** Improves displacements at one size, in place. */
function refine(
  planes: Planes,
  from: Plane,
  to: Plane,
  { across, down }: Displacements,
  window: Filter,
): void {
  planes.during((like) => {
    const [dx, dy, xx, xy, yy, xt, yt] = Array.from({ length: 7 }, () => like(from));
    planes.derivatives(from, dx, dy, xx, xy, yy);
    for (const product of [xx, xy, yy]) planes.blur(product, window, product);
    for (let step = 0; step < steps; step++) {
      planes.run('changes', from, to, across, down, dx, dy, xt, yt);
      for (const change of [xt, yt]) planes.blur(change, window, change);
      planes.run('solve', across, down, xx, xy, yy, xt, yt, damping);
      planes.medianOfNine(across);
      planes.medianOfNine(down);
    }
  });
}
