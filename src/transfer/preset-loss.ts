import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { sum, weighted } from '../losses/compose';
import { contentLoss } from '../losses/content-loss';
import { type GramNormalization, gramMatrix } from '../losses/gram-matrix';
import type { Loss } from '../losses/loss';
import { perceptualLoss } from '../losses/perceptual-loss';
import { styleLossOfGrams } from '../losses/style-loss';
import type { Preset } from './presets';

/** What a loss is made from: the network and the two images. */
export interface LossTargets {
  readonly extractor: FeatureExtractor;
  /** [height, width, 3], at the size of the image that is made. */
  readonly content: Image;
  /** [height, width, 3], at a size of its own. */
  readonly style: Image;
}

/**
 * The total loss of a preset: alpha * content + beta * style, plus its perceptual part.
 *
 * @param weights alpha and beta; the preset's own where left out
 * @returns a loss that belongs to the caller and holds its targets
 */
export function presetLoss(
  preset: Preset,
  { extractor, content, style }: LossTargets,
  weights: { readonly alpha?: number | undefined; readonly beta?: number | undefined } = {},
): Loss {
  const { alpha = preset.alpha, beta = preset.beta } = weights;
  const { layers: contentLayers, distance } = preset.content;
  const { layers: styleLayers, normalization } = preset.style;
  const contentFeatures = extractor.extract(content, [
    ...new Set([...contentLayers, ...(preset.perceptual?.layers ?? [])]),
  ]);
  const losses: Loss[] = [];
  try {
    losses.push(weighted(alpha, contentLoss(contentFeatures, { layers: contentLayers, distance })));
    if (preset.perceptual) {
      const { layers, distance, weight } = preset.perceptual;
      losses.push(weighted(weight, perceptualLoss(contentFeatures, { layers, distance })));
    }
    const grams = gramsOf(extractor, style, styleLayers, normalization);
    losses.push(weighted(beta, styleLossOfGrams(styleLayers, grams, { normalization })));
    return sum(losses);
  } catch (error) {
    for (const loss of losses) loss.dispose?.();
    throw error;
  } finally {
    tf.dispose(contentFeatures as tf.TensorContainer);
  }
}

/** Gram matrices of the style image, without holding all its features at a time where the extractor can do that. */
function gramsOf(
  extractor: FeatureExtractor,
  style: Image,
  layers: readonly LayerName[],
  normalization: GramNormalization,
): tf.Tensor2D[] {
  const grams: Partial<Record<LayerName, tf.Tensor2D>> = {};
  const take = (layer: LayerName, feature: tf.Tensor4D) => {
    grams[layer] = gramMatrix(feature, { normalization });
  };
  if (extractor.extractEach) extractor.extractEach(style, layers, take);
  else {
    const features = extractor.extract(style, layers);
    for (const layer of layers) take(layer, features[layer] as tf.Tensor4D);
    tf.dispose(features as tf.TensorContainer);
  }
  return layers.map((layer) => grams[layer] as tf.Tensor2D);
}
