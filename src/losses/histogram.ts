import * as tf from '@tensorflow/tfjs-core';
import { sumOf } from '../sums';
import { positionsByChannels } from './channel-moments';
import { mean, type Statistic } from './statistic';

/** Numbers that are kept of the distribution of a channel at most: four times the bins of Risser et al. */
const quantiles = 1024;

/**
 * Histograms of channels (Risser, Wilmot & Barnes 2017, "Stable and controllable neural texture synthesis and style
 * transfer using histogram losses"): the mean of (F - R)^2, where R is F after each channel's histogram has been
 * matched to the target's; R counts as constant in the gradient, which it is: the derivative of the sorted distance.
 *
 * The target's distribution is its quantile function at (i + 1/2) / q, linear between, with q the number of
 * positions and at most 1024. Matching is exact, by order:
 * the k-th smallest of n values becomes the quantile at (k + 1/2) / n.
 */
export const histogram: Statistic = {
  name: 'histogram',
  ofMoments: false,
  summary(feature) {
    const { sorted } = sortedChannels(feature);
    return [resampled(sorted, Math.min(quantiles, sorted.shape[1]))];
  },
  blend(summaries, shares) {
    const all = summaries.map(([rows]) => rows);
    const columns = Math.max(...all.map(({ shape }) => shape[1]));
    return [
      mean(
        all.map((rows) => resampled(rows, columns)),
        shares,
      ),
    ];
  },
  target: (summary) => summary,
  distance(feature, [target]) {
    const compute = tf.customGrad((x, save) => {
      const { sorted, order } = sortedChannels(x as tf.Tensor4D);
      const [channels, positions] = sorted.shape;
      const difference = tf.sub(sorted, resampled(target as tf.Tensor2D, positions));
      (save as tf.GradSaveFunc)([difference, order]);
      const value = tf.div(sumOf(tf.square(difference)), difference.size);
      const gradFunc = (dy: tf.Tensor, [saved, at]: tf.Tensor[]) => {
        const rows = tf.reshape(tf.range(0, channels, 1, 'int32'), [channels, 1]);
        const places = tf.add(at, tf.mul(rows, tf.scalar(positions, 'int32')));
        const unsorted = tf.scatterND(tf.reshape(places, [saved.size, 1]), tf.reshape(saved, [saved.size]), [
          saved.size,
        ]);
        const byPosition = tf.transpose(tf.reshape(unsorted, [channels, positions]));
        return tf.reshape(tf.mul(byPosition, tf.mul(dy, 2 / saved.size)), feature.shape);
      };
      return { value, gradFunc };
    });
    return compute(feature) as tf.Scalar;
  },
};

/** The values of each channel in falling order, [channels, positions], and the positions they come from. */
function sortedChannels(feature: tf.Tensor4D): { sorted: tf.Tensor2D; order: tf.Tensor2D } {
  const matrix = positionsByChannels('styleLoss', feature);
  const { values, indices } = tf.topk(tf.transpose(matrix), matrix.shape[0], true);
  return { sorted: values as tf.Tensor2D, order: indices as tf.Tensor2D };
}

/**
 * A piecewise linear function, given by its values at (i + 1/2) / columns, at (k + 1/2) / count; constant beyond the
 * first and the last.
 */
function resampled(rows: tf.Tensor2D, count: number): tf.Tensor2D {
  const columns = rows.shape[1];
  if (columns === count) return rows;
  const at = Float32Array.from({ length: count }, (_, k) =>
    Math.min(Math.max(((k + 0.5) / count) * columns - 0.5, 0), columns - 1),
  );
  const below = Int32Array.from(at, (x) => Math.min(Math.floor(x), Math.max(columns - 2, 0)));
  const share = tf.tensor1d(at.map((x, k) => x - below[k]));
  const first = tf.gather(rows, tf.tensor1d(below, 'int32'), 1);
  const second = tf.gather(
    rows,
    tf.tensor1d(
      below.map((i) => Math.min(i + 1, columns - 1)),
      'int32',
    ),
    1,
  );
  return tf.add(first, tf.mul(tf.sub(second, first), share));
}
