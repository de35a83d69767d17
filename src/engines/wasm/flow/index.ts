import { gaussianTaps } from './gaussian-taps';
import { lucasKanade } from './lucas-kanade';
import { restWhereStill, takeNeighbours } from './matches';
import { type PictureSize, type Plane, Planes, strideOf } from './planes';

/** Standard deviation in pixels of the blur before anything is compared, against noise. */
const smoothing = 0.8;
/** [1 4 6 4 1] / 16 from its middle on. */
const binomial = [6 / 16, 4 / 16, 1 / 16];
/** A pyramid's smallest size has a shorter side of at least so many pixels. */
const leastSide = 12;

/** A picture as RGB, row by row. */
export interface RgbPicture extends PictureSize {
  readonly rgb: ArrayLike<number>;
}

/**
 * Optical flow between two pictures of one size: displacements of the pixels of `first` to where they are in `second`,
 * [height][width][2], to the right and down; and back if both are asked for.
 *
 * @returns one flow, or both
 * @throws EnvironmentError `NO_SIMD`, `NO_WASM` or `OUT_OF_MEMORY`
 */
export async function computeFlows(
  first: RgbPicture,
  second: RgbPicture,
  ways: 'there' | 'there and back',
): Promise<readonly Float32Array[]> {
  const planes = await Planes.upTo(first);
  try {
    const pyramids = [first, second].map((picture) => pyramidOf(planes, picture));
    const [there, back] = [pyramids, [...pyramids].reverse()];
    return (ways === 'there' ? [there] : [there, back]).map(([from, to]) => flowOf(planes, from, to));
  } finally {
    planes.dispose();
  }
}

/** The luma of a picture by the weights of Rec. 601, smoothed, and its halves. */
function pyramidOf(planes: Planes, { rgb, width, height }: RgbPicture): readonly Plane[] {
  const pyramid = [planes.keep({ width, height })];
  const values = planes.valuesOf(pyramid[0]);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0, k = y * strideOf(width); x < width; x++, k++, i += 3)
      values[k] = 0.299 * rgb[i] + 0.587 * rgb[i + 1] + 0.114 * rgb[i + 2];
  planes.blur(pyramid[0], planes.filter(gaussianTaps(smoothing)), pyramid[0]);
  const halving = planes.filter(binomial);
  for (;;) {
    const last = pyramid[pyramid.length - 1];
    if (Math.min(last.width, last.height) < 2 * leastSide) return pyramid;
    const half = planes.keep({ width: (last.width + 1) >> 1, height: (last.height + 1) >> 1 });
    planes.during((like) => {
      const blurred = like(last);
      planes.blur(last, halving, blurred);
      planes.run('everyOther', blurred, half);
    });
    pyramid.push(half);
  }
}

function flowOf(planes: Planes, from: readonly Plane[], to: readonly Plane[]): Float32Array {
  const found = lucasKanade(planes, from, to);
  restWhereStill(planes, from[0], to[0], found);
  takeNeighbours(planes, from[0], to[0], found);
  restWhereStill(planes, from[0], to[0], found);
  const { width, height } = from[0];
  const [across, down] = [planes.valuesOf(found.across), planes.valuesOf(found.down)];
  const flow = new Float32Array(2 * width * height);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0, k = y * strideOf(width); x < width; x++, k++, i += 2) {
      flow[i] = across[k];
      flow[i + 1] = down[k];
    }
  return flow;
}
