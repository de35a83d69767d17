import * as tf from '@tensorflow/tfjs-core';
import { centred, positionsByChannels, sharesOf } from './channel-moments';
import { gramMatrix } from './gram-matrix';
import { polarFactor, squareRoot } from './matrix-root';
import type { PositionWeights } from './pooled-mask';
import { mean as meanOf, type Statistic } from './statistic';

/** Added to the diagonal of covariances, as crowsonkb/style-transfer-pytorch does. */
const epsilon = 1e-4;

/** The same relative to the target's trace, below which float32 cannot tell an eigenvalue from 0. */
const relativeEpsilon = 1e-6;

/**
 * Squared 2-Wasserstein distance of Gaussians with the means and covariances of the feature maps, divided by the number
 * of channels c:
 *
 *   (|mu - mu^|^2 + tr(S + S^ - 2 (S^^1/2 S S^^1/2)^1/2)) / c
 *
 * as in crowsonkb/style-transfer-pytorch. To both covariances e I is added, with e the larger of 1e-4 and 1e-6 times
 * the target's trace, so that roots exist where a layer has fewer positions than channels.
 *
 * The trace of the root is the sum of singular values of A = S^1/2 S^^1/2. Its gradient is S^-1/2 U S^^1/2 / 2 with U
 * the orthogonal polar factor of A, which solves the Lyapunov equation in closed form; nothing is differentiated
 * through an iteration.
 */
export const wasserstein: Statistic = {
  name: 'wasserstein',
  ofMoments: true,
  summary(feature, weights) {
    const { mean, covariance } = gaussianOf(feature, weights);
    return [mean, covariance];
  },
  blend(summaries, shares) {
    const mean = meanOf(
      summaries.map(([part]) => part),
      shares,
    );
    const about = summaries.map(([part, covariance]) => {
      const away: tf.Tensor2D = tf.sub(part, mean);
      return tf.add<tf.Tensor2D>(covariance, tf.mul(tf.transpose(away), away));
    });
    return [mean, meanOf(about, shares)];
  },
  target([mean, covariance]) {
    const trace = traceOf(covariance);
    const added = tf.maximum(tf.mul(trace, relativeEpsilon), epsilon);
    const whole = tf.add<tf.Tensor2D>(covariance, tf.mul(tf.eye(covariance.shape[0]), added));
    return [mean, squareRoot(whole).root, traceOf(whole), added, whole];
  },
  distance(feature, target, weights) {
    const [targetMean, targetRoot, targetTrace, added] = target as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Scalar,
      tf.Scalar,
    ];
    const compute = tf.customGrad((x, save) => {
      const { mean, covariance, rest, shares } = gaussianOf(x as tf.Tensor4D, weights);
      const [positions, channels] = rest.shape;
      const identity = tf.eye(channels);
      const whole = tf.add<tf.Tensor2D>(covariance, tf.mul(identity, added));
      const { root, inverse } = squareRoot(whole);
      const a = tf.matMul<tf.Tensor2D>(root, targetRoot);
      const u = polarFactor(a);
      const shared = tf.sum(tf.mul(u, a));
      const byMean = tf.sub(mean, targetMean);
      const spread = tf.sub(tf.add(traceOf(whole), targetTrace), tf.mul(shared, 2));
      // Rounding may take the distance of equal styles below 0.
      const value = tf.div(tf.maximum(tf.add(tf.sum(tf.square(byMean)), spread), 0), channels);
      // d value / d S = I - S^-1/2 U S^^1/2, symmetrised.
      const slope = tf.matMul(tf.matMul(inverse, u), targetRoot);
      const byCovariance = tf.sub(identity, tf.div(tf.add(slope, tf.transpose(slope)), 2));
      (save as tf.GradSaveFunc)([rest, byMean, byCovariance, shares ?? tf.scalar(1)]);
      // d mu / d F = 1/n; a change dS of the covariance comes from F by 2 (F - mu) dS / n.
      const gradFunc = (dy: tf.Tensor, [away, mu, sigma, share]: tf.Tensor[]) => {
        const factor = tf.mul(share, tf.mul(dy, 2 / (channels * positions)));
        return tf.reshape(
          tf.mul(tf.add(tf.matMul(away as tf.Tensor2D, sigma as tf.Tensor2D), mu), factor),
          feature.shape,
        );
      };
      return { value, gradFunc };
    });
    return compute(feature) as tf.Scalar;
  },
};

/**
 * Mean [1, c] and covariance [c, c] of a feature map over its positions, the map without the mean, and what its
 * positions count.
 */
function gaussianOf(feature: tf.Tensor4D, weights: PositionWeights | undefined) {
  const shares = weights && sharesOf(weights);
  const { mean, centred: rest } = centred(positionsByChannels('styleLoss', feature), shares);
  const [positions, channels] = rest.shape;
  // A Gram matrix of its own: sums in chunks, see gramMatrix.
  const counted = shares ? tf.mul(rest, tf.sqrt(shares)) : rest;
  const covariance = gramMatrix(tf.reshape(counted, [1, 1, positions, channels]), {
    normalization: 'positions',
  });
  return { mean, covariance, rest, shares };
}

const traceOf = (matrix: tf.Tensor2D): tf.Scalar => tf.sum(tf.mul(matrix, tf.eye(matrix.shape[0])));
