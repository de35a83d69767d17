import * as tf from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { registerGradients } from '../gradients';
import { type Distance, distanceBetween } from './distance';
import type { Loss } from './loss';
import { requireFeature, requireSameShape } from './targets';

/**
 * What content, perceptual and pixel losses have in common: the sum over layers of the distance between the feature map and the target's.
 * The loss keeps the target's tensors (by reference count, without copying) until it is disposed.
 */
export function featureLoss(
  name: string,
  target: Features,
  layers: readonly LayerName[],
  distance: Distance,
): Loss {
  const terms = layers.map((layer) => ({
    kind: 'feature' as const,
    layer,
    distance,
    target: tf.keep(tf.clone(requireFeature(name, target, layer))),
    weight: 1,
  }));
  return {
    name,
    layers,
    terms,
    compute: (features) =>
      tf.tidy(() => {
        registerGradients();
        const parts = terms.map((term) => {
          const feature = requireFeature(name, features, term.layer);
          requireSameShape(name, term.layer, feature, term.target);
          return distanceBetween(feature, term.target, distance);
        });
        return parts.reduce((a, b) => tf.add(a, b));
      }),
    dispose: () => {
      for (const term of terms) term.target.dispose();
    },
  };
}
