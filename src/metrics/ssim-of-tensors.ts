import * as tf from '@tensorflow/tfjs-core';
import { number, oneOf, optionTable } from '../options/table';
import { type Channels, channelChoices, type ImageTensor, requireImageTensors } from './planes';
import { ssimByTensors } from './ssim-by-tensors';
import { ssimOnHost } from './ssim-on-host';
import { requireWindowFits, type SsimWindowName, ssimWindowNames, ssimWindows } from './ssim-window';

/** Options of {@link ssimOfTensors}. */
export interface SsimOfTensorsOptions {
  /** `'luma'` compares grey levels, `'rgb'` takes the mean over all channels. @default 'luma' */
  readonly channels?: Channels | undefined;
  /** The difference between the largest and the smallest value that a pixel can have: 1 for images. @default 1 */
  readonly dataRange?: number | undefined;
  /**
   * `'gaussian'`: 11x11, sigma 1.5 (Wang et al. 2004); `'uniform'`: 7x7, sample variances (scikit-image).
   * @default 'gaussian'
   */
  readonly window?: SsimWindowName | undefined;
}

/** The table of {@link SsimOfTensorsOptions}. */
export const ssimOptions = {
  channels: oneOf(channelChoices, { default: 'luma' }),
  dataRange: number({ min: 0, exclusive: true, default: 1 }),
  window: oneOf(ssimWindowNames, { default: 'gaussian' }),
} as const;

const ssimOfTensorsOptions = optionTable<SsimOfTensorsOptions>()('ssimOfTensors', ssimOptions);

/**
 * Structural similarity of two images as a differentiable function of tensors: {@link ssim} for use in losses.
 *
 * The mean over all windows that lie inside the image of
 * (2 mu_a mu_b + C1) (2 sigma_ab + C2) / ((mu_a^2 + mu_b^2 + C1) (sigma_a^2 + sigma_b^2 + C2)),
 * C1 = (0.01 L)^2, C2 = (0.03 L)^2 (Wang et al. 2004, eq. 13 and 17), L the data range. Computed without cancellation:
 * flat and bright images lose no digits. The gradient is written by hand, with respect to both images. Both are
 * computed in double precision, outside of tfjs, where tensors lie in the processor's memory (cpu, wasm, tfjs-node),
 * and by operations of tfjs on other backends. The gradient itself cannot be differentiated.
 *
 * @param a [height, width, channels] or [1, height, width, channels]; both sides at least the window's 11 (or 7) pixels
 * @param b the same shape
 * @returns a scalar in [-1, 1], exactly 1 for equal images; it belongs to the caller
 * @throws InvalidArgumentError if the shapes differ or an option is wrong; ImageError if the images are smaller than
 *   the window
 * @example
 * ```ts
 * const structure = defineLoss({
 *   name: 'structure',
 *   layers: ['image'],
 *   compute: ({ image }) => tf.tidy(() => tf.sub(1, ssimOfTensors(image, target))), // [1, height, width, 3] both
 * });
 * ```
 */
export function ssimOfTensors(a: ImageTensor, b: ImageTensor, options: SsimOfTensorsOptions = {}): tf.Scalar {
  const { channels, dataRange, window: windowName } = ssimOfTensorsOptions.read(options);
  const window = ssimWindows[windowName];
  requireImageTensors('ssimOfTensors', a, b, channels);
  requireWindowFits('ssimOfTensors', a.shape, window);
  const ssim = isInHostMemory(tf.getBackend()) ? ssimOnHost : ssimByTensors;
  return ssim(a, b, { channels, dataRange, window });
}

/** Whether a backend's tensors can be read at once, at the cost of a copy. */
const isInHostMemory = (backend: string) =>
  backend === 'cpu' || backend === 'tensorflow' || backend.startsWith('wasm');
