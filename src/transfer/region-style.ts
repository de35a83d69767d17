import type { EngineExtractor } from '../engines/engine';
import type { Loss, LossTerm, StatisticTerm } from '../losses/loss';
import { lossOfStatistics } from '../losses/loss-of-statistics';
import { lossOfTerms } from '../losses/loss-of-terms';
import { maskLoss } from '../losses/mask-loss';
import { owning } from '../owning';
import type { StageRegion } from './open-regions';
import { gramLossOf } from './preset-loss';
import type { PresetStyle } from './presets';
import { type GramsOptions, styleGrams } from './style-grams';
import { styleLossOfImages } from './style-statistics';
import { imagesOf } from './styles';

/**
 * The style loss of regions (Gatys, Ecker, Bethge, Hertzmann & Shechtman 2017, eq. 3 to 5): the sum over regions of
 * weight * the distance of the region's guided Gram matrices, or of its weighted moments, from those of its style, in
 * one loss.
 *
 * @returns a loss that belongs to the caller
 */
export async function regionStyleLoss(
  extractor: EngineExtractor,
  style: PresetStyle,
  regions: readonly StageRegion[],
  options: GramsOptions,
): Promise<Loss> {
  return owning(async ({ result }) => {
    const { statistic = 'gram' } = style;
    const losses: Loss[] = [];
    const terms: LossTerm[] = [];
    const statistics: StatisticTerm[] = [];
    for (const { mask, styles, weight } of regions) {
      if (weight === 0) continue;
      const whole =
        statistic === 'gram'
          ? gramLossOf(style, await styleGrams(extractor, style, styles, options))
          : styleLossOfImages(extractor, { ...style, statistic }, imagesOf(styles));
      const loss = result(maskLoss({ weights: mask, mean: 'weights' }, whole));
      losses.push(loss);
      for (const term of loss.terms ?? []) terms.push({ ...term, weight: weight * term.weight });
      for (const term of loss.statistics ?? []) statistics.push({ ...term, weight: weight * term.weight });
    }
    return statistic === 'gram'
      ? lossOfTerms('style', terms, { held: losses })
      : lossOfStatistics('style', statistics, { held: losses });
  });
}
