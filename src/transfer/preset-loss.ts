import type * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor } from '../engines/engine';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { sum, weighted } from '../losses/compose';
import { contentLoss } from '../losses/content-loss';
import { type GramNormalization, gramMatrix } from '../losses/gram-matrix';
import type { Loss } from '../losses/loss';
import { perceptualLoss } from '../losses/perceptual-loss';
import { styleLossOfGrams } from '../losses/style-loss';
import { owning } from '../owning';
import type { Preset } from './presets';

/** What a loss is made from: the network and the two images. */
export interface LossTargets {
  readonly extractor: EngineExtractor;
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
  const contentAndPerceptual = [...new Set([...contentLayers, ...(preset.perceptual?.layers ?? [])])];
  return owning(({ temporary, result }) => {
    const contentFeatures = temporary(extractor.extract(content, contentAndPerceptual));
    const losses = [
      result(weighted(alpha, contentLoss(contentFeatures, { layers: contentLayers, distance }))),
    ];
    if (preset.perceptual) {
      const { layers, distance, weight } = preset.perceptual;
      losses.push(result(weighted(weight, perceptualLoss(contentFeatures, { layers, distance }))));
    }
    const grams = gramsOf(extractor, style, styleLayers, normalization);
    losses.push(result(weighted(beta, styleLossOfGrams(styleLayers, grams, { normalization }))));
    return sum(losses);
  });
}

/** Gram matrices of the style image: by the engine where it offers them, else one feature map at a time where the extractor can. */
function gramsOf(
  extractor: EngineExtractor,
  style: Image,
  layers: readonly LayerName[],
  normalization: GramNormalization,
): tf.Tensor2D[] {
  return owning(({ temporary, result }) => {
    const byEngine = extractor.gramMatrices?.(style, layers, { normalization });
    if (byEngine) return layers.map((layer) => byEngine[layer] as tf.Tensor2D);
    const grams: Partial<Record<LayerName, tf.Tensor2D>> = {};
    const take = (layer: LayerName, feature: tf.Tensor4D) => {
      grams[layer] = result(gramMatrix(feature, { normalization }));
    };
    if (extractor.extractEach) extractor.extractEach(style, layers, take);
    else {
      const features = temporary(extractor.extract(style, layers));
      for (const layer of layers) take(layer, features[layer] as tf.Tensor4D);
    }
    return layers.map((layer) => grams[layer] as tf.Tensor2D);
  });
}
