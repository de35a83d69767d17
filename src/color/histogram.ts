import type { Work } from '../image/in-turns';
import type { Matrix } from './matrix';
import { pixelsAtOnce } from './moments';
import { monotoneMap, type Quantiles, quantilesOf } from './quantiles';

/**
 * Moves colours so that their whole distribution becomes that of a reference: sliced optimal transport (Pitie, Kokaram,
 * Dahyot 2005). In each of 33 orthogonal frames, the histogram along each of three axes is matched; the last frame is
 * RGB itself, so that the histograms of the three channels are those of the reference and nothing needs clipping.
 *
 * Matching the channels alone would give the same three histograms, but colours that are in neither image, because it
 * ignores how channels go together.
 *
 * The result depends on the colour of a pixel only: equal colours stay equal, and flat areas free of noise.
 *
 * @param pixels RGB in [0,1], row-major, as `reference`
 * @returns RGB, row-major
 */
export function* matchHistogram(pixels: Float32Array, reference: Float32Array): Work<Float32Array> {
  const points = Float64Array.from(pixels);
  const [own, wanted] = [sampleOf(points.length / 3), sampleOf(reference.length / 3)];
  for (const frame of frames()) {
    const maps: ((x: number) => number)[] = [];
    for (const axis of frame) {
      const target: Quantiles = yield* quantilesOf(projections(reference, wanted, axis));
      maps.push(monotoneMap(yield* quantilesOf(projections(points, own, axis)), target));
    }
    yield* move(points, frame, maps);
  }
  return Float32Array.from(points);
}

/** Number of frames before RGB: after 16 the slices are within 2 levels of 255, after 32 within 1. */
const rotations = 32;

/**
 * Frames, rows as axes: rotations spread evenly, by super-Fibonacci spirals (Alexa 2022, CVPR), then RGB. Even
 * rotations cover the directions better than as many random ones, and need no seed.
 */
function frames(): readonly Matrix[] {
  const [phi, psi] = [Math.SQRT2, 1.5337511687552043];
  const rotated = Array.from({ length: rotations }, (_, i) => {
    const s = i + 0.5;
    const [r, q] = [Math.sqrt(s / rotations), Math.sqrt(1 - s / rotations)];
    const [alpha, beta] = [(2 * Math.PI * s) / phi, (2 * Math.PI * s) / psi];
    return ofQuaternion(r * Math.sin(alpha), r * Math.cos(alpha), q * Math.sin(beta), q * Math.cos(beta));
  });
  return [...rotated, ofQuaternion(0, 0, 0, 1)];
}

/** The rotation of a unit quaternion. */
function ofQuaternion(x: number, y: number, z: number, w: number): Matrix {
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
  ];
}

/** Pixels that histograms are taken from at most: quantiles are then right to 0.2 per cent. */
const largestSample = 65536;

/**
 * Indices of the pixels to take histograms from: all, or one from each of {@link largestSample} equal parts. The place
 * inside a part follows the golden ratio, because with a constant one the pixels could come from few columns.
 */
function sampleOf(count: number): Uint32Array {
  const length = Math.min(count, largestSample);
  const golden = (Math.sqrt(5) - 1) / 2;
  const place = (i: number) => (length === count ? 0 : (i * golden) % 1);
  return Uint32Array.from({ length }, (_, i) => Math.floor(((i + place(i)) * count) / length));
}

function projections(
  pixels: ArrayLike<number>,
  sample: Uint32Array,
  [a, b, c]: readonly number[],
): Float64Array {
  const values = new Float64Array(sample.length);
  for (let i = 0; i < values.length; i++) {
    const at = 3 * sample[i];
    values[i] = a * pixels[at] + b * pixels[at + 1] + c * pixels[at + 2];
  }
  return values;
}

/** Moves points along each axis of a frame. Where a map changes nothing, the point stays as it is, to the bit. */
function* move(
  points: Float64Array,
  [[a0, a1, a2], [b0, b1, b2], [c0, c1, c2]]: Matrix,
  [alongA, alongB, alongC]: readonly ((x: number) => number)[],
): Work<void> {
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = [points[i], points[i + 1], points[i + 2]];
    const a = a0 * x + a1 * y + a2 * z;
    const b = b0 * x + b1 * y + b2 * z;
    const c = c0 * x + c1 * y + c2 * z;
    const [u, v, w] = [alongA(a) - a, alongB(b) - b, alongC(c) - c];
    points[i] = x + (a0 * u + b0 * v + c0 * w);
    points[i + 1] = y + (a1 * u + b1 * v + c1 * w);
    points[i + 2] = z + (a2 * u + b2 * v + c2 * w);
    if (i % (3 * pixelsAtOnce) === 0) yield;
  }
}
