import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import { registerGradients } from '../gradients';
import type { Owned } from '../owning';
import { requireSpread } from './channel-moments';
import { type Loss, owningLoss, type StatisticTerm } from './loss';
import { positionWeights } from './pooled-mask';
import { requireFeature } from './require-features';
import { styleStatistics } from './style-statistics';

/**
 * A loss that is the weighted sum of distances of statistics, as data and as a function.
 *
 * @param held targets and masks that `dispose()` frees
 */
export function lossOfStatistics(
  name: string,
  statistics: readonly StatisticTerm[],
  { held }: { readonly held: readonly Owned[] },
): Loss {
  const compute = (features: Features): tf.Scalar =>
    tf.tidy(() => {
      registerGradients();
      return statistics
        .map(({ layer, statistic, target, weight, mask }) => {
          const feature = requireFeature(`${name}Loss`, features, layer);
          requireSpread(`${name}Loss`, layer, feature);
          const [, height, width] = feature.shape;
          const weights = mask && positionWeights(mask, height, width);
          return tf.mul<tf.Scalar>(styleStatistics[statistic].distance(feature, target, weights), weight);
        })
        .reduce((a, b) => tf.add(a, b));
    });
  const layers = [...new Set(statistics.map(({ layer }) => layer))];
  return owningLoss({ name, layers, compute, statistics }, held);
}
