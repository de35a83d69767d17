import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../features/layer-name';
import { sumOf } from '../sums';
import type { StyleDistance } from './distance';
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
  }: { normalization: GramNormalization; distance?: StyleDistance; weights?: readonly number[] },
): Loss {
  const terms = layers.map((layer, i) => ({
    kind: 'gram' as const,
    layer,
    normalization,
    // A squared distance with a weight, so that no engine needs to know it.
    distance: distance === 'relative-mse' ? 'mse' : distance,
    target: tf.keep(grams[i]),
    weight: distance === 'relative-mse' ? weights[i] / meanSquare(grams[i]) : weights[i],
  }));
  return lossOfTerms('style', terms);
}

/** The mean of squares; 1 for a matrix of zeros, which has no scale. */
function meanSquare(gram: tf.Tensor2D): number {
  const sum = tf.tidy(() => sumOf(tf.square(gram)));
  const [square] = sum.dataSync();
  sum.dispose();
  return square / gram.size || 1;
}
