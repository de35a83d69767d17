import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import {
  type Channels,
  channelChoices,
  fromPlanes,
  heightWidthChannels,
  type ImageTensor,
  requireImageTensors,
  toPlanes,
} from './planes';
import { localMoments, type Moments, ssimMap, ssimMapGradient } from './ssim-maps';
import { type SsimWindow, type SsimWindowName, ssimWindows } from './ssim-window';

/** Options of {@link ssimOfTensors}. */
export interface SsimOfTensorsOptions {
  /** `'luma'` compares the grey, `'rgb'` takes the mean over all channels. @default 'luma' */
  readonly channels?: Channels | undefined;
  /** The difference between the largest and the smallest value that a pixel can have: 1 for images. @default 1 */
  readonly dataRange?: number | undefined;
  /** `'gaussian'`: 11x11, sigma 1.5, as Wang et al. 2004; `'uniform'`: 7x7, sample variances, scikit-image's default. @default 'gaussian' */
  readonly window?: SsimWindowName | undefined;
}

/**
 * Structural similarity of two images as a differentiable function of tensors: what {@link ssim} computes, for losses.
 *
 * The mean over all windows that lie inside the image of
 * (2 mu_a mu_b + C1) (2 sigma_ab + C2) / ((mu_a^2 + mu_b^2 + C1) (sigma_a^2 + sigma_b^2 + C2)), C1 = (0.01 L)^2, C2 = (0.03 L)^2
 * (Wang et al. 2004, eq. 13 and 17). The gradient is our own, with respect to both, on every backend.
 *
 * @param a [height, width, channels] or [1, height, width, channels]; both sides at least the window's 11 (or 7) pixels
 * @param b the same shape
 * @returns a scalar in [-1, 1], 1 for equal images; it belongs to the caller
 * @throws InvalidArgumentError if the shapes differ or an option is wrong; ImageError if the images are smaller than the window
 * @example
 * ```ts
 * const structure: Loss = {
 *   name: 'structure',
 *   layers: ['image'],
 *   compute: ({ image }) => tf.tidy(() => tf.sub(1, ssimOfTensors(image as tf.Tensor4D, target))), // [1, height, width, 3] both
 * };
 * ```
 */
export function ssimOfTensors(a: ImageTensor, b: ImageTensor, options: SsimOfTensorsOptions = {}): tf.Scalar {
  const { channels, dataRange, window } = ssimSettings('ssimOfTensors', options);
  requireImageTensors('ssimOfTensors', a, b, channels);
  requireWindowFits('ssimOfTensors', a.shape, window);
  const compute = tf.customGrad((...inputs) => {
    const [x, y, save] = inputs as [ImageTensor, ImageTensor, tf.GradSaveFunc];
    const moments = localMoments(toPlanes(x, channels), toPlanes(y, channels), window);
    const map = ssimMap(moments, window, dataRange);
    save([x, y, ...moments]);
    const gradFunc = (dy: tf.Scalar, saved: tf.Tensor[]): tf.Tensor[] => {
      const [savedX, savedY, ...savedMoments] = saved;
      const planes = [savedX, savedY].map((image) => toPlanes(image as ImageTensor, channels));
      const gradients = ssimMapGradient(planes[0], planes[1], savedMoments as Moments, window, dataRange);
      const share = tf.div(dy, map.size);
      return gradients.map((gradient) => fromPlanes(tf.mul(gradient, share), x.shape, channels));
    };
    return { value: meanOfMap(map), gradFunc };
  });
  return tf.tidy(() => compute(a, b) as tf.Scalar);
}

/** Options with their defaults, checked. */
export function ssimSettings(
  caller: string,
  options: SsimOfTensorsOptions,
  others: readonly string[] = [],
): { channels: Channels; dataRange: number; window: SsimWindow } {
  requireKnownOptions(caller, options, ['channels', 'dataRange', 'window', ...others]);
  const { channels = 'luma', dataRange = 1, window = 'gaussian' } = options;
  requireName('channels', channels, channelChoices);
  requireNumber('dataRange', dataRange, { min: 0, exclusive: true });
  requireName('window', window, Object.keys(ssimWindows) as SsimWindowName[]);
  return { channels, dataRange, window: ssimWindows[window] };
}

/** Throws unless at least one window lies wholly inside images of this shape. */
export function requireWindowFits(caller: string, shape: readonly number[], window: SsimWindow): void {
  const [height, width] = heightWidthChannels(shape);
  const size = window.weights.length;
  if (Math.min(height, width) >= size) return;
  const accepted = `at least ${size}x${size} pixels, the window's size`;
  throw new ImageError('TOO_SMALL', `${caller}: the images are ${width}x${height}; accepted: ${accepted}.`, {
    option: 'a',
    value: shape,
    accepted,
  });
}

/** Row by row first: one float32 accumulator loses digits over a million summands. */
export function meanOfMap(map: tf.Tensor4D): tf.Scalar {
  return tf.tidy(() => tf.mean(tf.mean(map, 2)));
}
