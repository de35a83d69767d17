import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import type { Loss } from '../losses/loss';
import { type PositionWeights, positionWeights } from '../losses/pooled-mask';
import type { Statistic, Summary } from '../losses/statistic';
import { styleLossOfStatistic, summaryOf } from '../losses/style-loss-of-statistic';
import { type StyleStatistic, styleStatistics } from '../losses/style-statistics';
import type { TermMask } from '../losses/term-mask';
import { type Owner, owning } from '../owning';
import type { PresetStyle } from './presets';

/** A style image in a mixture. */
interface StatisticImage {
  readonly image: Image;
  readonly weight: number;
  /** [height, width, 1] of the image: the weights of its pixels, for statistics of moments. */
  readonly mask?: tf.Tensor3D | undefined;
}

/** The style loss of a {@link PresetStyle} that compares another statistic than Gram matrices. */
type StatisticStyle = PresetStyle & { readonly statistic: Exclude<StyleStatistic, 'gram'> };

/**
 * The style loss of images by a statistic beside the Gram matrix: one target for each layer, of all images together in
 * the shares of their weights. Of feature maps, only the statistics are kept.
 *
 * @param styles at least one of positive weight; they remain the caller's
 * @returns a loss that belongs to the caller
 */
export function styleLossOfImages(
  extractor: FeatureExtractor,
  { layers, statistic, layerWeights = layers.map(() => 1) }: StatisticStyle,
  styles: readonly StatisticImage[],
): Loss {
  const chosen = styleStatistics[statistic];
  const used = styles.filter(({ weight }) => weight > 0);
  const total = used.reduce((sum, { weight }) => sum + weight, 0);
  const shares = used.map(({ weight }) => weight / total);
  return owning(({ temporary }) => {
    const byStyle = used.map(({ image, mask }) => {
      const summaries = new Map<LayerName, Summary>();
      eachFeature(extractor, image, layers, (layer, feature) => {
        const [, height, width] = feature.shape;
        const weights =
          mask && temporaryWeights({ weights: mask, mean: 'weights' }, height, width, temporary);
        summaries.set(layer, temporary(summaryOf(chosen, layer, feature, weights)));
      });
      return summaries;
    });
    const summaries = layers.map((layer) => {
      const all = byStyle.map((ofStyle) => ofStyle.get(layer) as Summary);
      return all.length === 1 ? all[0] : temporary(blended(chosen, all, shares));
    });
    return styleLossOfStatistic(chosen, layers, summaries, layerWeights);
  });
}

/** Calls `take` with the feature map of each layer, one at a time if the extractor can; it frees them. */
function eachFeature(
  extractor: FeatureExtractor,
  image: Image,
  layers: readonly LayerName[],
  take: (layer: LayerName, feature: tf.Tensor4D) => void,
): void {
  if (extractor.extractEach) {
    extractor.extractEach(image, layers, take);
    return;
  }
  owning(({ temporary }) => {
    const features = temporary(extractor.extract(image, layers));
    for (const layer of layers) take(layer, features[layer] as tf.Tensor4D);
  });
}

/** The weights of a layer's positions, for as long as its owner lives. */
function temporaryWeights(
  mask: TermMask,
  height: number,
  width: number,
  temporary: Owner['temporary'],
): PositionWeights {
  const { weights, ratio } = positionWeights(mask, height, width);
  return { weights: temporary(weights), ratio: temporary(ratio) };
}

function blended({ blend }: Statistic, summaries: readonly Summary[], shares: readonly number[]): Summary {
  return tf.tidy(() => [...blend(summaries, shares)]).map((tensor) => tf.keep(tensor));
}
