import * as tf from '@tensorflow/tfjs-core';
import { columnMeans, sumOf } from '../sums';

/** Moments of features that their variance about the channels' means follows from; sums over positions. */
export interface FeatureSums {
  readonly positions: number;
  /** Sum of each channel. */
  readonly channels: Float64Array;
  /** Sum of all squares. */
  readonly squares: number;
}

/** The sums over the positions of a feature map [1, h, w, c]. */
export function featureSums(feature: tf.Tensor4D): FeatureSums {
  const channels = feature.shape[3];
  const positions = feature.size / channels;
  const [means, squares] = tf.tidy(() => [
    columnMeans(tf.reshape(feature, [positions, channels])).dataSync(),
    sumOf(tf.square(feature)).dataSync()[0],
  ]) as unknown as [Float32Array, number];
  return { positions, channels: Float64Array.from(means, (mean) => mean * positions), squares };
}

/** The sums of two parts of a map. */
export const added = (a: FeatureSums, b: FeatureSums): FeatureSums => ({
  positions: a.positions + b.positions,
  channels: a.channels.map((sum, i) => sum + b.channels[i]),
  squares: a.squares + b.squares,
});

/**
 * The mean over channels of the variance over positions, at least a hundredth of the mean square, so that what is
 * divided by it stays finite for a flat image.
 */
export function spreadOfSums({ positions, channels, squares }: FeatureSums): number {
  const count = positions * channels.length;
  const square = squares / count;
  const ofMeans = channels.reduce((sum, one) => sum + (one / positions) ** 2, 0) / channels.length;
  return Math.max(square - ofMeans, square / 100) || 1;
}

/** {@link spreadOfSums} of a feature map. */
export const spreadOf = (feature: tf.Tensor4D): number => spreadOfSums(featureSums(feature));
