import type * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor } from '../../engines/engine';
import type { Image } from '../../image/image';
import { requireLoss } from '../../losses/compose';
import type { Loss } from '../../losses/loss';
import { featureSums, spreadOfSums } from '../../losses/spread';
import { createObjective } from '../../objective';
import { owning } from '../../owning';
import { lendExtractor } from '../../transfer/lend-extractor';
import { gramLossOf, type LossTargets, lossOfStyle } from '../../transfer/preset-loss';
import type { Preset } from '../../transfer/presets';
import { styleGrams } from '../../transfer/style-grams';

/** The loss of a painted crop, as numbers, and its gradient, which belongs to the caller. */
export interface CropLoss {
  readonly value: number;
  /** The weighted contribution of each part of the loss. */
  readonly terms: Readonly<Record<string, number>>;
  /** With respect to the painted crop, [height, width, 3]. */
  readonly gradient: Image;
}

/** What a generator is trained by. */
export interface TrainingLoss {
  /** @param painted the generator's output for `crop`; both remain the caller's */
  at(painted: Image, crop: Image): Promise<CropLoss>;
  dispose(): void;
}

/** What a {@link TrainingLoss} is made of. The images and the extractor remain the caller's. */
export interface TrainingLossInputs {
  readonly extractor: EngineExtractor;
  readonly style: Image;
  readonly signal: AbortSignal;
}

/**
 * The loss of a preset: the style's targets are computed once, those of content for every crop.
 *
 * @param beta weight of the style
 */
export async function presetTrainingLoss(
  preset: Preset,
  { alpha, beta }: { readonly alpha: number | undefined; readonly beta: number | undefined },
  { extractor, style, signal }: TrainingLossInputs,
): Promise<TrainingLoss> {
  const ofStyle = await styleLossOf(preset, extractor, style, signal);
  return {
    at: (painted, crop) =>
      evaluated(extractor, painted, () =>
        lossOfStyle(preset, { extractor, content: crop, style: lent(ofStyle) }, { alpha, beta }),
      ),
    dispose: () => ofStyle.dispose?.(),
  };
}

/** The loss that a function of the caller's makes for every crop. @param number of the style, from 0 */
export function customTrainingLoss(
  make: (targets: LossTargets, style: number) => Loss,
  number: number,
  { extractor, style }: TrainingLossInputs,
): TrainingLoss {
  return {
    at: (painted, crop) =>
      owning(({ temporary }) => {
        const lentExtractor = lendExtractor(extractor, {
          extract: (image, wanted) => temporary(extractor.extract(image, wanted)),
          linearize: (image, wanted) => temporary(extractor.linearize(image, wanted)),
        });
        return evaluated(extractor, painted, () => {
          const styles = [{ image: style, weight: 1 }];
          const loss = make({ extractor: lentExtractor, content: crop, style, styles }, number);
          requireLoss('what loss() returned', loss);
          return loss;
        });
      }),
    dispose() {},
  };
}

/**
 * The preset with the least variance that relative content is divided by: half the mean over crops of what theirs is.
 * Of a crop of little contrast content would else weigh so much that nothing is painted.
 */
export function withFloor(preset: Preset, extractor: EngineExtractor, crops: readonly Image[]): Preset {
  if (!preset.content.relative) return preset;
  const { layers } = preset.content;
  const spreads = crops.map((crop) =>
    owning(({ temporary }) => {
      const features = temporary(extractor.extract(crop, layers));
      return layers.map((layer) => spreadOfSums(featureSums(features[layer] as tf.Tensor4D)));
    }),
  );
  const mean = spreads.flat().reduce((sum, spread) => sum + spread, 0) / (crops.length * layers.length);
  return { ...preset, content: { ...preset.content, floor: mean / 2 } };
}

/** The style loss of a preset without its weight. */
async function styleLossOf(
  { style: compared }: Preset,
  extractor: EngineExtractor,
  image: Image,
  signal: AbortSignal,
): Promise<Loss> {
  const { statistic = 'gram' } = compared;
  const styles = [{ image, weight: 1 }];
  if (statistic === 'gram')
    return gramLossOf(compared, await styleGrams(extractor, compared, styles, { signal }));
  const { styleLossOfImages } = await import('../../transfer/style-statistics');
  return styleLossOfImages(extractor, { ...compared, statistic }, styles);
}

/** A loss for others to own: disposing it does nothing. */
const lent = ({ name, layers, compute, terms, statistics, parts }: Loss): Loss => ({
  name,
  layers,
  compute,
  terms,
  statistics,
  parts,
  dispose() {},
});

/** A loss that is made, evaluated once and freed. */
function evaluated(extractor: EngineExtractor, painted: Image, make: () => Loss): Promise<CropLoss> {
  return owning(async ({ temporary, result }) => {
    const [height, width] = painted.shape;
    const loss = temporary(make());
    const objective = temporary(createObjective(extractor, loss, [height, width]));
    const { value, gradient, terms } = objective.evaluate(painted);
    result(gradient);
    const scalars = temporary({ ...terms, value });
    const numbers = await Promise.all(
      Object.entries(scalars).map(async ([name, scalar]) => [name, (await scalar.data())[0]] as const),
    );
    const { value: total, ...parts } = Object.fromEntries(numbers);
    return { value: total, terms: parts, gradient };
  });
}
