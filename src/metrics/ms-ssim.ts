import { ImageError } from '../errors';
import type { ImageInput } from '../image/to-image';
import { number, optionTable } from '../options/table';
import { withImagePair } from './image-pair';
import { type Channels, type Plane, readPlanes } from './planes';
import { ssimOfPlanes } from './ssim-of-planes';
import { ssimOptions } from './ssim-of-tensors';
import { ssimWindows } from './ssim-window';

/** Options of {@link msSsim}. */
export interface MsSsimOptions {
  /** `'luma'` compares grey levels, `'rgb'` takes the mean over the channels. @default 'luma' */
  readonly channels?: Channels | undefined;
  /** The difference between the largest and the smallest value that a pixel can have. @default 1 */
  readonly dataRange?: number | undefined;
  /**
   * Number of scales, 1 to 5, each half as large as the one before. Fewer than 5 keep the first exponents, scaled to
   * add up to 1; values are comparable only for the same number of scales.
   * @default 5
   */
  readonly scales?: number | undefined;
}

/**
 * Exponents of the scales, the finest first; Wang, Simoncelli & Bovik 2003, section 3.2. As printed they add up to
 * 1.0001.
 */
const scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333] as const;
const window = ssimWindows.gaussian;
const windowSize = window.weights.length;

const msSsimOptions = optionTable<MsSsimOptions>()('msSsim', {
  channels: ssimOptions.channels,
  dataRange: ssimOptions.dataRange,
  scales: number({ min: 1, max: scaleWeights.length, integer: true, default: scaleWeights.length }),
});

/**
 * Multi-scale structural similarity (Wang, Simoncelli & Bovik 2003, eq. 7, as in the authors' program): the product
 * over scales of mean(contrast * structure)^w, with the luminance of the coarsest scale in its factor, in double
 * precision. Each scale halves the one before by means of 2x2 pixels; an odd last row or column counts twice. A
 * negative mean counts as 0.
 *
 * @param a an image whose shorter side is at least 161 pixels for 5 scales (81 for 4, 41 for 3, 21 for 2, 11 for 1)
 * @param b an image of the same size
 * @returns a number in [0, 1], 1 for equal images, constant ones too
 * @throws ImageError if the sizes differ, an image is too small for the scales, or a pixel is not finite;
 *   InvalidArgumentError if an option is wrong
 * @example
 * ```ts
 * const similarity = await msSsim(stylised, content, { scales: 3 });
 * ```
 */
export async function msSsim(a: ImageInput, b: ImageInput, options: MsSsimOptions = {}): Promise<number> {
  const { channels, dataRange, scales } = msSsimOptions.read(options);
  return withImagePair('msSsim', { a, b }, async (first, second) => {
    requireScalesFit(first.shape, scales);
    const { planes, unit } = await readPlanes(first, channels);
    const others = (await readPlanes(second, channels)).planes;
    const values = planes.map((plane, p) => msSsimOfPlanes(plane, others[p], scales, dataRange * unit));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

/**
 * The largest number of scales, at most 5, that images of this shape have room for; 0 where they are smaller than the
 * window.
 */
export function scalesThatFit([height, width]: readonly number[]): number {
  let side = Math.min(height, width);
  let scales = 0;
  for (; side >= windowSize && scales < scaleWeights.length; scales++) side = Math.ceil(side / 2);
  return scales;
}

function requireScalesFit(shape: readonly number[], scales: number): void {
  const most = scalesThatFit(shape);
  if (scales <= most) return;
  const size = `${shape[1]}x${shape[0]}`;
  const accepted =
    most > 0
      ? `scales of at most ${most} for this size`
      : `at least ${windowSize}x${windowSize} pixels, the window's size`;
  throw new ImageError(
    'TOO_SMALL',
    `msSsim: ${size} pixels are too few for ${scales} scales; accepted: ${accepted}.`,
    {
      option: most > 0 ? 'scales' : 'a',
      value: most > 0 ? scales : size,
      accepted,
    },
  );
}

/** The product over scales of the means to the power of the scale's weight; the weights are scaled to add up to 1. */
function msSsimOfPlanes(a: Plane, b: Plane, scales: number, dataRange: number): number {
  const weights = scaleWeights.slice(0, scales);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [x, y] = [a, b];
  return weights.reduce((product, weight, scale) => {
    if (scale > 0) [x, y] = [halved(x), halved(y)];
    const { similarity, contrastStructure } = ssimOfPlanes(x, y, window, dataRange);
    const mean = scale === scales - 1 ? similarity : contrastStructure;
    return product * Math.max(0, mean) ** (weight / total);
  }, 1);
}

/** Means of 2x2 pixels; an odd last row or column counts twice. */
function halved({ values, width, height }: Plane): Plane {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const means = new Float64Array(half.width * half.height);
  for (let y = 0; y < half.height; y++) {
    const [upper, lower] = [2 * y * width, Math.min(2 * y + 1, height - 1) * width];
    for (let x = 0; x < half.width; x++) {
      const [left, right] = [2 * x, Math.min(2 * x + 1, width - 1)];
      const sum = values[upper + left] + values[upper + right] + values[lower + left] + values[lower + right];
      means[y * half.width + x] = sum / 4;
    }
  }
  return { values: means, ...half };
}
