import type * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor, GramMatrices, MemoryPlan } from '../engines/engine';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { sum, weighted } from '../losses/compose';
import { contentLoss } from '../losses/content-loss';
import { type GramNormalization, gramMatrix } from '../losses/gram-matrix';
import { lossOfImage } from '../losses/image-target';
import type { Loss } from '../losses/loss';
import { perceptualLoss } from '../losses/perceptual-loss';
import { styleLossOfGrams } from '../losses/style-loss';
import { owning } from '../owning';
import type { Preset } from './presets';

/** The inputs of a loss: the network and the two images, which remain the caller's. */
export interface LossTargets {
  readonly extractor: EngineExtractor;
  /** [height, width, 3], at the size of the painted image. */
  readonly content: Image;
  /** [height, width, 3], at a size of its own. */
  readonly style: Image;
  /** The run's memory; where it has several tiles, the loss holds no feature map of the content image. */
  readonly plan?: MemoryPlan | undefined;
}

/** A style image with its weight. */
export interface WeightedStyle {
  readonly image: Image;
  /** A factor of beta, at least 0. */
  readonly weight: number;
  /** The image's Gram matrices, if they have been computed already. The loss owns them. */
  readonly grams?: GramMatrices | undefined;
}

/** {@link LossTargets} with any number of styles. */
export interface StyledTargets {
  readonly extractor: EngineExtractor;
  readonly content: Image;
  readonly styles: readonly WeightedStyle[];
  /** See {@link LossTargets.plan}. */
  readonly plan?: MemoryPlan | undefined;
}

/**
 * The total loss of a preset: alpha * content + beta * style, plus its perceptual part.
 *
 * @param weights alpha and beta; by default the preset's
 * @returns a loss that belongs to the caller and holds its targets
 * @throws InvalidArgumentError if the extractor lacks a layer of the preset, or a weight is negative or not finite
 */
export function presetLoss(
  preset: Preset,
  { extractor, content, style, plan }: LossTargets,
  weights: { readonly alpha?: number | undefined; readonly beta?: number | undefined } = {},
): Loss {
  return stylesLoss(preset, { extractor, content, styles: [{ image: style, weight: 1 }], plan }, weights);
}

/** {@link presetLoss} with any number of styles: alpha * content + beta * sum over styles of weight * style. */
export function stylesLoss(
  preset: Preset,
  { extractor, content, styles, plan }: StyledTargets,
  weights: Parameters<typeof presetLoss>[2] = {},
): Loss {
  const { alpha = preset.alpha, beta = preset.beta } = weights;
  const { layers: styleLayers, normalization } = preset.style;
  return owning(({ result }) => {
    for (const { grams } of styles) result(grams);
    const losses = result(contentLosses({ ...preset, alpha }, { extractor, content, plan })).slice();
    for (const { image, weight, grams: known } of styles) {
      const grams = known
        ? styleLayers.map((layer) => known[layer] as tf.Tensor2D)
        : result(gramsOf(extractor, image, styleLayers, normalization));
      const style = result(styleLossOfGrams(styleLayers, grams, { normalization }));
      losses.push(weighted(beta * weight, style));
    }
    return sum(losses);
  });
}

/**
 * The content loss of a preset and its perceptual loss, if it has one, with their weights. They hold the feature maps of
 * the content image, or the image where the run has tiles: whole maps are what tiles avoid.
 */
function contentLosses(
  { alpha, content: { layers, distance }, perceptual }: Preset,
  { extractor, content, plan }: Omit<StyledTargets, 'styles'>,
): Loss[] {
  const parts = [
    { name: 'content' as const, layers, distance, weight: alpha },
    ...(perceptual ? [{ name: 'perceptual' as const, ...perceptual }] : []),
  ];
  return owning(({ temporary, result }) => {
    if (plan && plan.tiles > 1)
      return parts.map((part) => weighted(part.weight, result(lossOfImage(extractor, content, part))));
    const features = temporary(
      extractor.extract(content, [...new Set(parts.flatMap((part) => part.layers))]),
    );
    return parts.map(({ name, weight, ...options }) =>
      weighted(weight, result((name === 'content' ? contentLoss : perceptualLoss)(features, options))),
    );
  });
}

/**
 * Gram matrices of a style image, in the order of `layers`: by the engine if it offers them, else from one feature map
 * at a time if the extractor has `extractEach`.
 */
function gramsOf(
  extractor: EngineExtractor,
  style: Image,
  layers: readonly LayerName[],
  normalization: GramNormalization,
): tf.Tensor2D[] {
  return owning(({ temporary, result }) => {
    const byEngine = extractor.gramMatrices?.(style, layers, { normalization });
    if (byEngine) return layers.map((layer) => byEngine[layer] as tf.Tensor2D);
    const grams = new Map<LayerName, tf.Tensor2D>();
    const take = (layer: LayerName, feature: tf.Tensor4D) =>
      void grams.set(layer, result(gramMatrix(feature, { normalization })));
    if (extractor.extractEach) extractor.extractEach(style, layers, take);
    else {
      const features = temporary(extractor.extract(style, layers));
      for (const layer of layers) take(layer, features[layer] as tf.Tensor4D);
    }
    return layers.map((layer) => grams.get(layer) as tf.Tensor2D);
  });
}

/**
 * Adds the Gram matrices for a preset to styles if the engine computes them asynchronously; else returns the styles
 * unchanged.
 *
 * @throws the signal's reason once it is aborted
 */
export function withGrams(
  { style: { layers, normalization } }: Preset,
  { extractor, styles }: StyledTargets,
  signal: AbortSignal | undefined,
): Promise<readonly WeightedStyle[]> {
  return owning(async ({ result }) => {
    const found: WeightedStyle[] = [];
    for (const style of styles) {
      const grams = await extractor.gramMatricesInTurns?.(style.image, layers, { normalization, signal });
      found.push({ ...style, grams: result(grams) });
    }
    return found;
  });
}
