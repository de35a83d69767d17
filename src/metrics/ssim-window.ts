import * as tf from '@tensorflow/tfjs-core';

/** The neighbourhood that local means and variances are taken over. */
export interface SsimWindow {
  /** Of the mean along one axis; the window is their outer product. Symmetric, adding up to 1. */
  readonly weights: readonly number[];
  /** What variances are multiplied by: 1, or n / (n - 1) where they estimate those of a population from a sample. */
  readonly varianceFactor: number;
}

/** `'gaussian'`: 11x11, sigma 1.5, as Wang et al. 2004. `'uniform'`: 7x7 with sample variances, scikit-image's default. */
export type SsimWindowName = 'gaussian' | 'uniform';

/** Every {@link SsimWindowName} and what it means. */
export const ssimWindows: Readonly<Record<SsimWindowName, SsimWindow>> = {
  gaussian: { weights: gaussian(11, 1.5), varianceFactor: 1 },
  uniform: { weights: new Array(7).fill(1 / 7), varianceFactor: 49 / 48 },
};

function gaussian(size: number, sigma: number): number[] {
  const raw = Array.from({ length: size }, (_, i) => Math.exp(-(((i - (size - 1) / 2) / sigma) ** 2) / 2));
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return raw.map((weight) => weight / total);
}

/** Weighted means over every window that lies wholly inside: [n, h, w, 1] -> [n, h - size + 1, w - size + 1, 1]. */
export function windowMeans(planes: tf.Tensor4D, weights: readonly number[]): tf.Tensor4D {
  return tf.tidy(() => {
    const filter = tf.tensor1d([...weights]);
    const columns = tf.conv2d(
      planes,
      tf.reshape(filter, [weights.length, 1, 1, 1]) as tf.Tensor4D,
      1,
      'valid',
    );
    return tf.conv2d(columns, tf.reshape(filter, [1, weights.length, 1, 1]) as tf.Tensor4D, 1, 'valid');
  });
}

/**
 * The transposed map of {@link windowMeans}, for gradients: [n, h, w, 1] -> [n, h + size - 1, w + size - 1, 1].
 * The weights are symmetric, so it is the same means over the zero-padded gradient; tfjs' own gradient of a
 * convolution also makes the filter's, which wasm lacks.
 */
export function spreadWindows(gradient: tf.Tensor4D, weights: readonly number[]): tf.Tensor4D {
  const border: [number, number] = [weights.length - 1, weights.length - 1];
  return tf.tidy(() => windowMeans(tf.pad(gradient, [[0, 0], border, border, [0, 0]]), weights));
}
