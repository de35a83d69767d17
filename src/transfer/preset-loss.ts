import type * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor, GramMatrices, MemoryPlan } from '../engines/engine';
import type { Image } from '../image/image';
import { sum, weighted } from '../losses/compose';
import { contentLoss } from '../losses/content-loss';
import { lossOfImage } from '../losses/image-target';
import type { Loss } from '../losses/loss';
import { maskLoss } from '../losses/mask-loss';
import { perceptualLoss } from '../losses/perceptual-loss';
import { styleLossOfGrams } from '../losses/style-loss-of-grams';
import type { TermMask } from '../losses/term-mask';
import { totalVariationLoss } from '../losses/total-variation-loss';
import { owning } from '../owning';
import { contentSpread } from './content-spread';
import type { Preset, PresetStyle } from './presets';
import { gramsOf, meanGrams } from './style-grams';
import { styleLossOfImages } from './style-statistics';

/** The inputs of a loss: the network and the images, which remain the caller's. */
export interface LossTargets {
  readonly extractor: EngineExtractor;
  /** [height, width, 3], at the size of the painted image. */
  readonly content: Image;
  /** [height, width, 3], at a size of its own: of several styles, the first. */
  readonly style: Image;
  /** All style images, with their shares, which add up to 1. */
  readonly styles: readonly { readonly image: Image; readonly weight: number }[];
  /** The run's memory; where it has several tiles, the loss holds no feature map of the content image. */
  readonly plan?: MemoryPlan | undefined;
  /** Bytes that the engine may use for maps, targets and tiles. @default what it can address */
  readonly room?: number | undefined;
}

/** {@link LossTargets} of {@link presetLoss}: without `styles`, `style` is the only one. */
export type PresetTargets = Omit<LossTargets, 'styles'> & Partial<Pick<LossTargets, 'styles'>>;

/**
 * The total loss of a preset: alpha * content + beta * style, plus its perceptual loss and total variation. The style
 * loss has one target for each layer: the mean of the styles' Gram matrices by their weights, or the statistic of all
 * styles together.
 *
 * @param weights alpha and beta; by default the preset's
 * @returns a loss that belongs to the caller and holds its targets
 * @throws InvalidArgumentError if the extractor lacks a layer of the preset, or a weight is negative or not finite
 */
export function presetLoss(
  preset: Preset,
  { style, styles = [{ image: style, weight: 1 }], ...targets }: PresetTargets,
  weights: { readonly alpha?: number | undefined; readonly beta?: number | undefined } = {},
): Loss {
  const used = styles.filter(({ weight }) => weight > 0);
  const { statistic = 'gram' } = preset.style;
  if (statistic !== 'gram')
    return lossOfStyle(
      preset,
      { ...targets, style: styleLossOfImages(targets.extractor, { ...preset.style, statistic }, used) },
      weights,
    );
  return owning(({ temporary, result }) => {
    const own = used.length === 1 ? result : temporary;
    const all = used.map(({ image, weight }) => ({
      weight,
      grams: own(gramsOf(targets.extractor, preset.style, image, targets)),
    }));
    const grams = used.length === 1 ? all[0].grams : meanGrams(preset.style, all);
    return lossOfStyle(preset, { ...targets, style: gramLossOf(preset.style, grams) }, weights);
  });
}

/** The style loss of a preset with given Gram matrices, one for each of its layers; the loss owns them. */
export function gramLossOf(
  { layers, normalization, distance, layerWeights }: PresetStyle,
  grams: GramMatrices,
): Loss {
  const ordered = layers.map((layer) => grams[layer] as tf.Tensor2D);
  return styleLossOfGrams(layers, ordered, { normalization, distance, weights: layerWeights });
}

/** The inputs of {@link lossOfStyle}. */
export interface StyleTargets extends Omit<LossTargets, 'style' | 'styles'> {
  /** The style loss, without its weight beta; the result owns it, also if making it fails. */
  readonly style: Loss;
  /** Weights of content by position. */
  readonly contentMask?: TermMask | undefined;
}

/** {@link presetLoss} with a given style loss. */
export function lossOfStyle(
  preset: Preset,
  { style, ...targets }: StyleTargets,
  weights: Parameters<typeof presetLoss>[2] = {},
): Loss {
  const { alpha = preset.alpha, beta = preset.beta } = weights;
  return owning(({ result }) => {
    result(style);
    const losses = result(contentLosses({ ...preset, alpha }, targets)).slice();
    losses.push(weighted(beta, style));
    if (preset.totalVariation) {
      const { weight, reduction } = preset.totalVariation;
      losses.push(
        weighted(reduction === 'sum' ? weight * targets.content.size : weight, totalVariationLoss()),
      );
    }
    return sum(losses);
  });
}

/**
 * The content loss of a preset and its perceptual loss, if it has one, with their weights. They hold the feature maps
 * of the content image, or the image where the run has tiles: whole maps are what tiles avoid.
 */
function contentLosses(
  { alpha, content: compared, perceptual }: Preset,
  { extractor, content, plan, contentMask }: Omit<StyleTargets, 'style'>,
): Loss[] {
  const masked = (loss: Loss) => (contentMask ? maskLoss(contentMask, loss) : loss);
  const parts = [
    { name: 'content' as const, relative: false, floor: undefined, ...compared, weight: alpha },
    ...(perceptual
      ? [{ name: 'perceptual' as const, relative: false, floor: undefined, ...perceptual }]
      : []),
  ];
  return owning(({ temporary, result }) => {
    if (plan && plan.tiles > 1)
      return parts.map(({ weight, relative, floor, ...part }) => {
        const spread = relative ? contentSpread(extractor, content, part.layers, plan.tiles) : undefined;
        const weights = spread?.map((one) => 1 / Math.max(one, floor ?? 0));
        return weighted(weight, result(masked(lossOfImage(extractor, content, { ...part, weights }))));
      });
    const features = temporary(
      extractor.extract(content, [...new Set(parts.flatMap((part) => part.layers))]),
    );
    return parts.map(({ name, weight, relative, floor, ...options }) => {
      const loss =
        name === 'content'
          ? contentLoss(features, { relative, floor, ...options })
          : perceptualLoss(features, options);
      return weighted(weight, result(masked(loss)));
    });
  });
}
