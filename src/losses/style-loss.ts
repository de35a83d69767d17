import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { registerGradients } from '../gradients';
import { showValue } from '../options/show';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import { type Distance, distanceBetween, distances } from './distance';
import { type GramNormalization, gramMatrix, gramNormalizations } from './gram-matrix';
import type { Loss } from './loss';
import { requireFeature, targetLayers } from './targets';

/** Options of {@link styleLoss}. */
export interface StyleLossOptions {
  /** Layers to compare. @default every layer of the target */
  readonly layers?: readonly LayerName[] | undefined;
  /** How Gram matrices are scaled. @default 'elements' */
  readonly normalization?: GramNormalization | undefined;
  /** Distance of the Gram matrices. @default 'mse' */
  readonly distance?: Distance | undefined;
  /** A factor for each layer, in the order of `layers` or by name. @default 1 each */
  readonly layerWeights?: readonly number[] | Readonly<Partial<Record<LayerName, number>>> | undefined;
}

/**
 * How far an image's feature correlations are from the style image's: the sum over layers of w_l mean((G_l - A_l)^2),
 * G and A the Gram matrices of image and style (Gatys et al. 2016, eq. 4 and 5; Li et al. 2021, eq. 4).
 * The style image may have any size.
 *
 * @param target the style image's features, [1, h, w, c] each; only their Gram matrices are kept
 * @returns a loss named `style`; it belongs to the caller
 * @throws InvalidArgumentError if a layer is not in the target, or a weight is negative or missing
 * @example
 * ```ts
 * const target = extractor.extract(style, ['conv1_1', 'conv2_1', 'conv3_1']);
 * const loss = weighted(1e6, styleLoss(target, { normalization: 'elements' }));
 * ```
 */
export function styleLoss(target: Features, options: StyleLossOptions = {}): Loss {
  requireKnownOptions('styleLoss', options, ['layers', 'normalization', 'distance', 'layerWeights']);
  const { normalization = 'elements', distance = 'mse', layerWeights } = options;
  requireName('normalization', normalization, gramNormalizations);
  requireName('distance', distance, distances);
  const layers = targetLayers('styleLoss', target, options.layers);
  const weights = weightsByLayer(layers, layerWeights);
  const grams = layers.map((layer) =>
    gramMatrix(requireFeature('styleLoss', target, layer), { normalization }),
  );
  return styleLossOfGrams(layers, grams, { normalization, distance, weights });
}

/** The style loss of Gram matrices, one for each layer, which it takes over. */
export function styleLossOfGrams(
  layers: readonly LayerName[],
  grams: readonly tf.Tensor2D[],
  {
    normalization,
    distance = 'mse',
    weights = layers.map(() => 1),
  }: { normalization: GramNormalization; distance?: Distance; weights?: readonly number[] },
): Loss {
  const terms = layers.map((layer, i) => ({
    kind: 'gram' as const,
    layer,
    normalization,
    distance,
    target: tf.keep(grams[i]),
    weight: weights[i],
  }));
  return {
    name: 'style',
    layers,
    terms,
    compute: (features) =>
      tf.tidy(() => {
        registerGradients();
        const parts = terms.map((term) => {
          const gram = gramMatrix(requireFeature('styleLoss', features, term.layer), { normalization });
          return tf.mul(distanceBetween(gram, term.target, distance), term.weight) as tf.Scalar;
        });
        return parts.reduce((a, b) => tf.add(a, b));
      }),
    dispose: () => {
      for (const term of terms) term.target.dispose();
    },
  };
}

function weightsByLayer(layers: readonly LayerName[], given: StyleLossOptions['layerWeights']): number[] {
  if (given === undefined) return layers.map(() => 1);
  if (Array.isArray(given) && given.length !== layers.length) {
    const accepted = `${layers.length} numbers, one for each of ${layers.join(', ')}`;
    throw new InvalidArgumentError(
      'WRONG_LENGTH',
      `layerWeights has ${given.length} numbers; accepted: ${accepted}.`,
      {
        option: 'layerWeights',
        value: given,
        accepted,
      },
    );
  }
  if (!Array.isArray(given)) {
    const unknown = Object.keys(given).find((layer) => !(layers as readonly string[]).includes(layer));
    if (unknown !== undefined) requireName('layerWeights', unknown, layers);
  }
  return layers.map((layer, i) => {
    const weight = Array.isArray(given) ? given[i] : (given as Partial<Record<LayerName, number>>)[layer];
    if (weight === undefined) {
      throw new InvalidArgumentError(
        'MISSING',
        `layerWeights has no number for ${layer}: ${showValue(given)}.`,
        {
          option: 'layerWeights',
          value: given,
          accepted: `a number for each of ${layers.join(', ')}`,
        },
      );
    }
    requireNumber(`layerWeights.${layer}`, weight, { min: 0 });
    return weight;
  });
}
