import type { EngineExtractor } from '../engines/engine';
import type { Loss } from '../losses/loss';
import { lossOfTerms } from '../losses/loss-of-terms';
import { maskLoss } from '../losses/mask-loss';
import { owning } from '../owning';
import type { StageRegion } from './open-regions';
import { gramLossOf } from './preset-loss';
import type { PresetStyle } from './presets';
import { type GramsOptions, styleGrams } from './style-grams';

/**
 * The style loss of regions (Gatys, Ecker, Bethge, Hertzmann & Shechtman 2017, eq. 3 to 5): the sum over regions of
 * weight * the distance of the region's guided Gram matrices from those of its style, in one loss.
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
    const losses: Loss[] = [];
    const terms = [];
    for (const { mask, styles, weight } of regions) {
      if (weight === 0) continue;
      const grams = await styleGrams(extractor, style, styles, options);
      const loss = result(maskLoss({ weights: mask, mean: 'weights' }, gramLossOf(style, grams)));
      losses.push(loss);
      for (const term of loss.terms ?? []) terms.push({ ...term, weight: weight * term.weight });
    }
    return lossOfTerms('style', terms, { held: losses });
  });
}
