import { InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { type Conflict, requireNoConflict } from '../options/conflicts';
import { showValue } from '../options/show';
import { any, oneOf, optionTable } from '../options/table';
import { requireName, requireNumber } from '../options/validate';
import { owning } from '../owning';
import { type StyleDistance, styleDistances } from './distance';
import { type GramNormalization, gramMatrix, gramNormalizationOption } from './gram-matrix';
import type { Loss } from './loss';
import { layersOption, requireFeature, targetLayers } from './require-features';
import { styleLossOfGrams } from './style-loss-of-grams';
import { styleLossOfStatistic, summaryOf } from './style-loss-of-statistic';
import { type StyleStatistic, styleStatistics } from './style-statistics';

/** Options of {@link styleLoss}. */
export interface StyleLossOptions {
  /** What of a feature map stands for style. @default 'gram' */
  readonly statistic?: StyleStatistic | undefined;
  /** Layers to compare. @default every layer of the target */
  readonly layers?: readonly LayerName[] | undefined;
  /** How Gram matrices are scaled; only for them. @default 'elements' */
  readonly normalization?: GramNormalization | undefined;
  /**
   * Distance of the Gram matrices; only for them. `'relative'` is |G - A| / |A| in the Frobenius norm, not squared: 1
   * where there is nothing, so that every layer counts alike at every size. `'relative-mse'` is its square. @default
   * 'mse'
   */
  readonly distance?: StyleDistance | undefined;
  /** A factor for each layer, in the order of `layers` or by name. @default 1 each */
  readonly layerWeights?: readonly number[] | Readonly<Partial<Record<LayerName, number>>> | undefined;
}

/** The names of all statistics. */
const statisticNames = [
  'gram',
  ...(Object.keys(styleStatistics) as Exclude<StyleStatistic, 'gram'>[]),
] as const;

const styleLossOptions = optionTable<StyleLossOptions>()('styleLoss', {
  statistic: oneOf(statisticNames, { default: 'gram' }),
  layers: layersOption,
  normalization: gramNormalizationOption,
  distance: oneOf(styleDistances, { default: 'mse' }),
  layerWeights: any<NonNullable<StyleLossOptions['layerWeights']>>(
    'an array of numbers, or a record of layer -> number',
    (value) => typeof value === 'object' && value !== null,
  ),
});

const conflicts: readonly Conflict<keyof StyleLossOptions>[] = [
  {
    option: 'statistic',
    replaces: ['normalization', 'distance'],
    because: 'they belong to Gram matrices',
  },
];

/**
 * Distance of a statistic of an image's features from the style image's: the sum over layers of w_l times
 *
 * - `'gram'`: mean((G - A)^2), G and A the Gram matrices of image and style (Gatys et al. 2016, eq. 4 and 5; Li et al.
 *   2021, eq. 4): which channels occur together.
 * - `'mean-variance'`: the mean over channels of (mu - mu^)^2 + (sigma - sigma^)^2, means and standard deviations (Li
 *   et al. 2017, "Demystifying neural style transfer"): which channels occur, and how much they vary.
 * - `'wasserstein'`: the squared 2-Wasserstein distance of Gaussians with the maps' means and covariances, divided by
 *   the number of channels, as in crowsonkb/style-transfer-pytorch. It weighs all directions of the features
 *   alike, where the Gram distance is dominated by its largest entries.
 * - `'histogram'`: mean((F - R)^2), R the map after matching each channel's histogram to the style's (Risser et al.
 *   2017).
 *
 * The style image may have any size.
 *
 * @param target the style image's features, [1, h, w, c] each; only their statistics are kept
 * @returns a loss named `style`; it belongs to the caller
 * @throws InvalidArgumentError if a layer is not in the target, a weight is negative or missing, or an option of Gram
 *   matrices is given beside another statistic; ImageError if a layer has one position only, beside another statistic
 * @example
 * ```ts
 * const target = extractor.extract(style, ['conv1_1', 'conv2_1', 'conv3_1']);
 * const loss = weighted(1e6, styleLoss(target, { normalization: 'elements' }));
 * const other = styleLoss(target, { statistic: 'wasserstein' });
 * ```
 */
export function styleLoss(target: Features, options: StyleLossOptions = {}): Loss {
  const { statistic, normalization, distance, layerWeights, ...given } = styleLossOptions.read(options);
  if (statistic !== 'gram') requireNoConflict(options, conflicts);
  const layers = targetLayers('styleLoss', target, given.layers);
  const weights = weightsByLayer(layers, layerWeights);
  if (statistic !== 'gram') {
    const chosen = styleStatistics[statistic];
    return owning(({ temporary }) => {
      const summaries = layers.map((layer) =>
        temporary(summaryOf(chosen, layer, requireFeature('styleLoss', target, layer))),
      );
      return styleLossOfStatistic(chosen, layers, summaries, weights);
    });
  }
  return owning(({ result }) => {
    const grams = layers.map((layer) =>
      result(gramMatrix(requireFeature('styleLoss', target, layer), { normalization })),
    );
    return styleLossOfGrams(layers, grams, { normalization, distance, weights });
  });
}

function weightsByLayer(layers: readonly LayerName[], given: StyleLossOptions['layerWeights']): number[] {
  if (given === undefined) return layers.map(() => 1);
  if (Array.isArray(given) && given.length !== layers.length) {
    const accepted = `one for each of ${layers.join(', ')}`;
    const found = given.length === 1 ? '1 number' : `${given.length} numbers`;
    throw new InvalidArgumentError('WRONG_LENGTH', `layerWeights has ${found}; accepted: ${accepted}.`, {
      option: 'layerWeights',
      value: given,
      accepted,
    });
  }
  if (!Array.isArray(given)) {
    const unknown = Object.keys(given).find((layer) => !(layers as readonly string[]).includes(layer));
    if (unknown !== undefined) requireName('layerWeights', unknown, layers);
  }
  return layers.map((layer, i) => {
    const weight = Array.isArray(given) ? given[i] : (given as Partial<Record<LayerName, number>>)[layer];
    if (weight === undefined) {
      throw new InvalidArgumentError(
        'MISSING',
        `layerWeights has no number for ${layer}: ${showValue(given)}.`,
        {
          option: 'layerWeights',
          value: given,
          accepted: `a number for each of ${layers.join(', ')}`,
        },
      );
    }
    requireNumber(`layerWeights.${layer}`, weight, { min: 0 });
    return weight;
  });
}
