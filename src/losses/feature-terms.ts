import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { owning } from '../owning';
import type { Distance } from './distance';
import type { LossTerm } from './loss';
import { requireFeature } from './require-features';

/**
 * Terms of content, perceptual and pixel losses: the distance of each layer's feature map from the target's. They hold
 * the target's tensors by reference count, without copying.
 */
export function featureTerms(
  caller: string,
  target: Features,
  layers: readonly LayerName[],
  distance: Distance,
  weights: readonly number[] = layers.map(() => 1),
): LossTerm[] {
  return owning(({ result }) =>
    layers.map((layer, i) => {
      const kept = result(tf.keep(tf.clone(requireFeature(caller, target, layer))));
      return { kind: 'feature', layer, distance, target: kept, weight: weights[i] };
    }),
  );
}
