import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { showValue } from '../options/show';
import { any, optionTable } from '../options/table';
import { requireName, requireNumber } from '../options/validate';
import { owning } from '../owning';
import { type Distance, distanceOption } from './distance';
import { type GramNormalization, gramMatrix, gramNormalizationOption } from './gram-matrix';
import type { Loss } from './loss';
import { lossOfTerms } from './loss-of-terms';
import { layersOption, requireFeature, targetLayers } from './require-features';

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

const styleLossOptions = optionTable<StyleLossOptions>()('styleLoss', {
  layers: layersOption,
  normalization: gramNormalizationOption,
  distance: distanceOption('mse'),
  layerWeights: any<NonNullable<StyleLossOptions['layerWeights']>>(
    'an array of numbers, or a record of layer -> number',
    (value) => typeof value === 'object' && value !== null,
  ),
});

/**
 * Distance of an image's feature correlations from the style image's: the sum over layers of w_l mean((G_l - A_l)^2),
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
  const { normalization, distance, layerWeights, ...given } = styleLossOptions.read(options);
  const layers = targetLayers('styleLoss', target, given.layers);
  const weights = weightsByLayer(layers, layerWeights);
  return owning(({ result }) => {
    const grams = layers.map((layer) =>
      result(gramMatrix(requireFeature('styleLoss', target, layer), { normalization })),
    );
    return styleLossOfGrams(layers, grams, { normalization, distance, weights });
  });
}

/** The style loss against given Gram matrices, one for each layer; the loss owns them. */
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
  return lossOfTerms('style', terms);
}

function weightsByLayer(layers: readonly LayerName[], given: StyleLossOptions['layerWeights']): number[] {
  if (given === undefined) return layers.map(() => 1);
  if (Array.isArray(given) && given.length !== layers.length) {
    const accepted = `one for each of ${layers.join(', ')}`;
    const found = given.length === 1 ? '1 number' : `${given.length} numbers`;
    throw new InvalidArgumentError('WRONG_LENGTH', `layerWeights has ${found}; accepted: ${accepted}.`, {
      option: 'layerWeights',
      value: given,
      accepted,
    });
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
