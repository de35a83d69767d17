import * as tf from '@tensorflow/tfjs-core';
import { columnMeans } from '../sums';
import { centred, positionsByChannels } from './channel-moments';
import { mean as meanOf, type Statistic } from './statistic';

/** Added to variances, so that the gradient of their root is finite where a channel is constant. */
const epsilon = 1e-5;

/**
 * Means and standard deviations of channels (Li, Wang, Liu & Hou 2017, "Demystifying neural style transfer"): the mean
 * over channels of (mu - mu^)^2 + (sigma - sigma^)^2, with sigma = sqrt(var + 1e-5) and var the mean squared deviation.
 */
export const meanVariance: Statistic = {
  name: 'mean-variance',
  summary(feature) {
    const { mean, variance } = momentsOf(positionsByChannels('styleLoss', feature));
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
  distance(feature, [targetMean, targetDeviation]) {
    const compute = tf.customGrad((x, save) => {
      const matrix = positionsByChannels('styleLoss', x as tf.Tensor4D);
      const [positions, channels] = matrix.shape;
      const { mean, variance, rest } = momentsOf(matrix);
      const deviation = deviationOf(variance);
      const byMean = tf.sub(mean, targetMean);
      const byDeviation = tf.sub(deviation, targetDeviation);
      (save as tf.GradSaveFunc)([rest, byMean, tf.div(byDeviation, deviation)]);
      const value = tf.div(tf.sum(tf.add(tf.square(byMean), tf.square(byDeviation))), channels);
      // d mu / d F = 1/n; d sigma / d F = (F - mu) / (n sigma)
      const gradFunc = (dy: tf.Tensor, [away, mu, sigma]: tf.Tensor[]) => {
        const factor = tf.mul(dy, 2 / (channels * positions));
        return tf.reshape(tf.mul(tf.add(tf.mul(away, sigma), mu), factor), feature.shape);
      };
      return { value, gradFunc };
    });
    return compute(feature) as tf.Scalar;
  },
};

/** Mean and variance of each channel, [1, channels] both, and the map without the mean. */
function momentsOf(matrix: tf.Tensor2D) {
  const { mean, centred: rest } = centred(matrix);
  return { mean, variance: columnMeans(tf.square(rest)), rest };
}

const deviationOf = (variance: tf.Tensor2D): tf.Tensor2D => tf.sqrt(tf.add<tf.Tensor2D>(variance, epsilon));
