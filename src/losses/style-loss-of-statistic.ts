import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../features/layer-name';
import { owning } from '../owning';
import { requireSpread } from './channel-moments';
import type { Loss } from './loss';
import { lossOfStatistics } from './loss-of-statistics';
import type { PositionWeights } from './pooled-mask';
import type { Statistic, Summary } from './statistic';

/** The style loss against given summaries, one for each layer; it keeps what it needs of them. */
export function styleLossOfStatistic(
  { target: targetOf, name }: Statistic,
  layers: readonly LayerName[],
  summaries: readonly Summary[],
  weights: readonly number[],
): Loss {
  return owning(({ result }) => {
    const targets = summaries.map((summary) =>
      tf
        // Copies: a target may be the summary itself.
        .tidy(() => targetOf(summary).map((tensor) => tf.clone(tensor)))
        .map((tensor) => result(tf.keep(tensor))),
    );
    const statistics = layers.map((layer, i) => ({
      layer,
      statistic: name,
      target: targets[i],
      weight: weights[i],
    }));
    return lossOfStatistics('style', statistics, { held: targets.flat() });
  });
}

/**
 * The summary of a style's feature map; its tensors belong to the caller.
 *
 * @param weights of positions, only for statistics of moments
 * @throws ImageError if the map has one position
 */
export function summaryOf(
  { summary }: Statistic,
  layer: LayerName,
  feature: tf.Tensor4D,
  weights?: PositionWeights,
): Summary {
  requireSpread('styleLoss', layer, feature);
  return tf.tidy(() => [...summary(feature, weights)]).map((tensor) => tf.keep(tensor));
}
