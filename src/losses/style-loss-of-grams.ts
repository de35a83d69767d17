import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../features/layer-name';
import type { GramDistance } from './distance';
import type { GramNormalization } from './gram-matrix';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';

/** The style loss against given Gram matrices, one for each layer; the loss owns them. */
export function styleLossOfGrams(
  layers: readonly LayerName[],
  grams: readonly tf.Tensor2D[],
  {
    normalization,
    distance = 'mse',
    weights = layers.map(() => 1),
  }: { normalization: GramNormalization; distance?: GramDistance; weights?: readonly number[] },
): Loss {
  const terms = layers.map((layer, i) => ({
    kind: 'gram' as const,
    layer,
    normalization,
    distance,
    target: tf.keep(grams[i]),
    weight: weights[i],
  }));
  return lossOfTerms('style', terms);
}
