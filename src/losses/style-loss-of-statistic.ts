import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { registerGradients } from '../gradients';
import { owning } from '../owning';
import { requireSpread } from './channel-moments';
import { type Loss, owningLoss } from './loss';
import { requireFeature } from './require-features';
import type { Statistic, Summary } from './statistic';

/** The style loss against given summaries, one for each layer; it keeps what it needs of them. */
export function styleLossOfStatistic(
  { target: targetOf, distance, name }: Statistic,
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
    const compute = (features: Features): tf.Scalar =>
      tf.tidy(() => {
        registerGradients();
        return layers
          .map((layer, i) => {
            const feature = requireFeature('styleLoss', features, layer);
            requireSpread('styleLoss', layer, feature);
            return tf.mul<tf.Scalar>(distance(feature, targets[i]), weights[i]);
          })
          .reduce((a, b) => tf.add(a, b));
      });
    const statistics = layers.map((layer, i) => ({
      layer,
      statistic: name,
      target: targets[i],
      weight: weights[i],
    }));
    return owningLoss({ name: 'style', layers, compute, statistics }, targets.flat());
  });
}

/**
 * The summary of a style's feature map; its tensors belong to the caller.
 *
 * @throws ImageError if the map has one position
 */
export function summaryOf({ summary }: Statistic, layer: LayerName, feature: tf.Tensor4D): Summary {
  requireSpread('styleLoss', layer, feature);
  return tf.tidy(() => [...summary(feature)]).map((tensor) => tf.keep(tensor));
}
