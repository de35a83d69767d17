import { requireLoss } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { type Owner, owning } from '../owning';
import { lendExtractor } from './lend-extractor';
import type { StageRegions } from './open-regions';
import type { Settings } from './options';
import { gramLossOf, lossOfStyle, type StyleTargets } from './preset-loss';
import type { Preset } from './presets';
import { styleGrams } from './style-grams';
import { imagesOf, type WeightedStyle } from './styles';

/** The inputs of a run's loss. */
export interface RunTargets extends Omit<StyleTargets, 'style'> {
  readonly styles: readonly WeightedStyle[];
  readonly regions?: StageRegions | undefined;
}

/**
 * The loss of a run: the caller's, the result of the caller's function, or the preset's.
 *
 * @param owner frees the loss after the run, unless it is the caller's
 * @throws InvalidArgumentError `NOT_A_LOSS` if the caller's function returns something else; any error of that function
 */
export async function makeLoss(
  { loss, preset, alpha, beta, signal }: Settings,
  targets: RunTargets,
  { temporary }: Owner,
): Promise<Loss> {
  const { styles, regions, ...others } = targets;
  if (loss === undefined) {
    const style = await styleLossOf(preset, targets, signal);
    const contentMask = regions?.contentMask;
    return temporary(lossOfStyle(preset, { ...others, contentMask, style }, { alpha, beta }));
  }
  if (typeof loss === 'object') return loss;
  const images = imagesOf(styles);
  const made = await owning(async (owner) => {
    // Its features are freed when the loss has been made, because losses copy the features that they need.
    const extractor = lendExtractor(others.extractor, {
      extract: (image, wanted) => owner.temporary(others.extractor.extract(image, wanted)),
      linearize: (image, wanted) => owner.temporary(others.extractor.linearize(image, wanted)),
    });
    return loss({ ...others, extractor, style: images[0].image, styles: images });
  });
  requireLoss('what loss() returned', made);
  return temporary(made);
}

/** The style loss of a preset, without its weight; it belongs to the caller. */
async function styleLossOf(
  { style }: Preset,
  { extractor, styles, regions, room }: RunTargets,
  signal: AbortSignal | undefined,
): Promise<Loss> {
  if (regions) {
    const { regionStyleLoss } = await import('./region-style');
    return regionStyleLoss(extractor, style, regions.regions, { signal, room });
  }
  const { statistic = 'gram' } = style;
  if (statistic === 'gram')
    return gramLossOf(style, await styleGrams(extractor, style, styles, { signal, room }));
  const { styleLossOfImages } = await import('./style-statistics');
  return styleLossOfImages(extractor, { ...style, statistic }, imagesOf(styles));
}
