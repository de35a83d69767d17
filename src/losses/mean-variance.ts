import * as tf from '@tensorflow/tfjs-core';
import { columnMeans } from '../sums';
import { centred, positionsByChannels, sharesOf } from './channel-moments';
import type { PositionWeights } from './pooled-mask';
import { mean as meanOf, type Statistic } from './statistic';

/** Added to variances, so that the gradient of their root is finite where a channel is constant. */
const epsilon = 1e-5;

/**
 * Means and standard deviations of channels (Li, Wang, Liu & Hou 2017, "Demystifying neural style transfer"): the mean
 * over channels of (mu - mu^)^2 + (sigma - sigma^)^2, with sigma = sqrt(var + 1e-5) and var the mean squared deviation.
 */
export const meanVariance: Statistic = {
  name: 'mean-variance',
  ofMoments: true,
  summary(feature, weights) {
    const { mean, variance } = momentsOf(feature, weights);
    return [mean, variance];
  },
  blend(summaries, shares) {
    const mean = meanOf(
      summaries.map(([part]) => part),
      shares,
    );
    const about = summaries.map(([part, variance]) =>
      tf.add<tf.Tensor2D>(variance, tf.square(tf.sub(part, mean))),
    );
    return [mean, meanOf(about, shares)];
  },
  target: ([mean, variance]) => [mean, deviationOf(variance)],
  distance(feature, [targetMean, targetDeviation], weights) {
    const compute = tf.customGrad((x, save) => {
      const { mean, variance, rest, shares } = momentsOf(x as tf.Tensor4D, weights);
      const [positions, channels] = rest.shape;
      const deviation = deviationOf(variance);
      const byMean = tf.sub(mean, targetMean);
      const byDeviation = tf.sub(deviation, targetDeviation);
      (save as tf.GradSaveFunc)([rest, byMean, tf.div(byDeviation, deviation), shares ?? tf.scalar(1)]);
      const value = tf.div(tf.sum(tf.add(tf.square(byMean), tf.square(byDeviation))), channels);
      // d mu / d F = 1/n; d sigma / d F = (F - mu) / (n sigma)
      const gradFunc = (dy: tf.Tensor, [away, mu, sigma, share]: tf.Tensor[]) => {
        const factor = tf.mul(share, tf.mul(dy, 2 / (channels * positions)));
        return tf.reshape(tf.mul(tf.add(tf.mul(away, sigma), mu), factor), feature.shape);
      };
      return { value, gradFunc };
    });
    return compute(feature) as tf.Scalar;
  },
};

/** Mean and variance of each channel, [1, channels] both, the map without the mean, and what its positions count. */
function momentsOf(feature: tf.Tensor4D, weights: PositionWeights | undefined) {
  const shares = weights && sharesOf(weights);
  const { mean, centred: rest } = centred(positionsByChannels('styleLoss', feature), shares);
  const squares = tf.square(rest);
  return { mean, variance: columnMeans(shares ? tf.mul(squares, shares) : squares), rest, shares };
}

const deviationOf = (variance: tf.Tensor2D): tf.Tensor2D => tf.sqrt(tf.add<tf.Tensor2D>(variance, epsilon));
