import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from './features/extractor';
import type { Image } from './image/image';
import { sum, weighted } from './losses/compose';
import { contentLoss } from './losses/content-loss';
import type { Loss } from './losses/loss';
import { perceptualLoss } from './losses/perceptual-loss';
import { styleLoss } from './losses/style-loss';
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
    const styleFeatures = extractor.extract(style, styleLayers);
    losses.push(weighted(beta, styleLoss(styleFeatures, { normalization })));
    tf.dispose(styleFeatures as tf.TensorContainer);
    return sum(losses);
  } catch (error) {
    for (const loss of losses) loss.dispose?.();
    throw error;
  } finally {
    tf.dispose(contentFeatures as tf.TensorContainer);
  }
}
