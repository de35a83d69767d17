import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import type { ImageInput } from '../image/to-image';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import { comparedPlanes } from './compared-planes';
import { readNumbers, withImagePair } from './image-pair';
import { type Channels, channelChoices } from './planes';
import { contrastStructureMap, localMoments, ssimMap } from './ssim-maps';
import { ssimWindows } from './ssim-window';

/** Options of {@link msSsim}. */
export interface MsSsimOptions {
  /** `'luma'` compares the grey, `'rgb'` takes the mean over the channels. @default 'luma' */
  readonly channels?: Channels | undefined;
  /** The difference between the largest and the smallest value that a pixel can have. @default 1 */
  readonly dataRange?: number | undefined;
  /**
   * How many scales, 1 to 5, each half as large as the one before. Fewer than 5 keep the first weights, scaled to add up to 1; such
   * values compare only with others of as many scales.
   * @default 5
   */
  readonly scales?: number | undefined;
}

/** Exponents of the scales, the finest first; Wang, Simoncelli & Bovik 2003, section 3.2. They add up to 1. */
const scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333] as const;
const window = ssimWindows.gaussian;
const windowSize = window.weights.length;

/**
 * Multi-scale structural similarity (Wang, Simoncelli & Bovik 2003, eq. 7, as in the authors' program): the product over scales of
 * mean(contrast * structure)^w, with the luminance of the coarsest scale in its factor. Each scale halves the one before by means of 2x2
 * pixels, an odd last row or column with itself. A negative mean counts as 0.
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
  requireKnownOptions('msSsim', options, ['channels', 'dataRange', 'scales']);
  const { channels = 'luma', dataRange = 1, scales = scaleWeights.length } = options;
  requireName('channels', channels, channelChoices);
  requireNumber('dataRange', dataRange, { min: 0, exclusive: true });
  requireNumber('scales', scales, { min: 1, max: scaleWeights.length, integer: true });
  return withImagePair('msSsim', { a, b }, async (first, second) => {
    requireScalesFit(first.shape, scales);
    const planes = await comparedPlanes(first, second, channels);
    const count = planes[0].shape[0];
    try {
      return combine(await readNumbers(() => meansByScale(...planes, scales, dataRange)), count, scales);
    } finally {
      tf.dispose(planes);
    }
  });
}

/** The most scales, at most 5, that images of this shape have room for; 0 where they are smaller than the window. */
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

/** [scales, planes]: the means that enter the product. */
function meansByScale(a: tf.Tensor4D, b: tf.Tensor4D, scales: number, dataRange: number): tf.Tensor2D {
  const means: tf.Tensor1D[] = [];
  let [x, y] = [a, b];
  for (let scale = 1; scale <= scales; scale++) {
    const similarity = scale === scales ? ssimMap : contrastStructureMap;
    const map = similarity(localMoments(x, y, window), window, dataRange);
    means.push(tf.mean(tf.mean(tf.squeeze(map, [3]), 2), 1));
    if (scale < scales) [x, y] = [half(x), half(y)];
  }
  return tf.stack(means) as tf.Tensor2D;
}

function half(planes: tf.Tensor4D): tf.Tensor4D {
  return tf.avgPool(evenSide(evenSide(planes, 1), 2), 2, 2, 'valid');
}

/** Repeats the last row (axis 1) or column (axis 2) of an odd number of them. */
function evenSide(planes: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D {
  const length = planes.shape[axis];
  if (length % 2 === 0) return planes;
  const size = planes.shape.map((n, i) => (i === axis ? 1 : n));
  const last = tf.slice(planes, [0, axis === 1 ? length - 1 : 0, axis === 2 ? length - 1 : 0, 0], size);
  return tf.concat([planes, last], axis);
}

function combine(means: readonly number[], planes: number, scales: number): number {
  const weights = scaleWeights.slice(0, scales);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (let plane = 0; plane < planes; plane++) {
    sum += weights.reduce(
      (product, w, scale) => product * Math.max(0, means[scale * planes + plane]) ** (w / total),
      1,
    );
  }
  return sum / planes;
}
