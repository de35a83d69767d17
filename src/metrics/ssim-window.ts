import { ImageError } from '../errors';
import { type Channels, heightWidthChannels } from './planes';

/** The neighbourhood that local means and variances are taken over. */
export interface SsimWindow {
  /** Weights along one axis, an odd number of them, symmetric, adding up to 1; the window is their outer product. */
  readonly weights: readonly number[];
  /** The factor of variances: 1, or n / (n - 1) where the variance of a population is estimated from a sample of n. */
  readonly varianceFactor: number;
}

/** The options of SSIM, with the window that its name stands for. */
export interface SsimSettings {
  readonly channels: Channels;
  /** The difference between the largest and the smallest value that a pixel can have. */
  readonly dataRange: number;
  readonly window: SsimWindow;
}

/**
 * `'gaussian'`: 11x11, sigma 1.5, as Wang et al. 2004. `'uniform'`: 7x7 with sample variances, scikit-image's default.
 */
export type SsimWindowName = 'gaussian' | 'uniform';

/** The window of each {@link SsimWindowName}. */
export const ssimWindows: Readonly<Record<SsimWindowName, SsimWindow>> = {
  gaussian: { weights: gaussian(11, 1.5), varianceFactor: 1 },
  uniform: { weights: new Array(7).fill(1 / 7), varianceFactor: 49 / 48 },
};

/** Every {@link SsimWindowName}. */
export const ssimWindowNames = Object.keys(ssimWindows) as readonly SsimWindowName[];

/**
 * C1 = (0.01 L)^2 and C2 = (0.03 L)^2 keep SSIM's quotients finite where an image is dark or flat (Wang et al. 2004,
 * III.B).
 */
export function ssimConstants(dataRange: number): { c1: number; c2: number } {
  return { c1: (0.01 * dataRange) ** 2, c2: (0.03 * dataRange) ** 2 };
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

function gaussian(size: number, sigma: number): number[] {
  const raw = Array.from({ length: size }, (_, i) => Math.exp(-(((i - (size - 1) / 2) / sigma) ** 2) / 2));
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return raw.map((weight) => weight / total);
}
