import { InvalidArgumentError } from '../errors';
import type { LayerName } from '../features/layer-name';
import type { Vgg19Layer } from '../features/vgg19/layers';
import { showValue } from '../options/show';
import { type Option, oneOf } from '../options/table';
import { requireName, requireNumber } from '../options/validate';
import type { Preset } from './presets';

/**
 * What the weights of a loss compare.
 *
 * - `'none'`: the terms' plain values, as papers print their weights. These depend on the image's size, the layers,
 *   the normalisation and the statistic, and published weights belong to a preset.
 * - `'initial'`: effort. Each term is divided by its value at the start image, so that at the start style counts beta.
 *   A term that is less there than a hundredth of its value at a flat image of the content's mean colour, as the
 *   content's where the start is the content image, is divided by the latter: then content counts alpha where all of it
 *   is lost. Each stage divides by values at its own size, of the run's start image, which takes two more evaluations.
 *   Terms of a custom `loss` are divided too.
 */
export type Balance = 'none' | 'initial';

/** The names of {@link Balance}. */
const balances: readonly Balance[] = ['none', 'initial'];

/** The option `balance`. */
export const balanceOption = /* @__PURE__ */ oneOf<Balance, { default: 'none'; flag: string; help: string }>(
  balances,
  {
    default: 'none',
    flag: '--balance <how>',
    help: "initial: content and style are divided by their values at the start, so that --alpha and --beta mean the same for every size and preset; none: the preset's own units",
  },
);

/** Factors of layers of the style loss, by their names, each at least 0. */
export type StyleLayerWeights = Readonly<Partial<Record<Vgg19Layer, number>>>;

const accepted = 'a record of style layers and numbers of at least 0, such as { relu1_1: 2, relu4_1: 0.5 }';

/** The option `layerWeights`. Which layers there are depends on the preset: see {@link weighedPreset}. */
export const layerWeightsOption: Option<StyleLayerWeights> & {
  readonly flag: string;
  readonly help: string;
} = {
  accepts: accepted,
  kind: 'layerWeights',
  flag: '--layer-weights <factors>',
  help: "factors of the preset's style layers, such as relu1_1=2,relu4_1=0.5 (default: 1 each)",
  require(name, value) {
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isRecord || Object.keys(value).length === 0)
      throw new InvalidArgumentError('WRONG_TYPE', `${name} is ${showValue(value)}; accepted: ${accepted}.`, {
        option: name,
        value,
        accepted,
      });
    for (const [layer, weight] of Object.entries(value))
      requireNumber(`${name}.${layer}`, weight, { min: 0 });
  },
};

/**
 * A preset with the weights that options ask for: its layer weights times those given; with a balance, alpha and beta
 * of {@link balancedWeights}.
 *
 * @throws InvalidArgumentError if a layer is not one of the preset's style loss, or all weights are 0
 */
export function weighedPreset(
  preset: Preset,
  {
    layerWeights,
    balance,
  }: { readonly layerWeights?: StyleLayerWeights | undefined; readonly balance: Balance },
): Preset {
  const { layers, layerWeights: own = layers.map(() => 1) } = preset.style;
  for (const layer of Object.keys(layerWeights ?? {})) requireName('layerWeights', layer, layers);
  const weights = layers.map((layer, i) => own[i] * (layerWeights?.[layer] ?? 1));
  if (weights.every((weight) => weight === 0)) throw allZero(layerWeights, layers);
  return {
    ...preset,
    ...(layerWeights && { style: { ...preset.style, layerWeights: weights } }),
    ...(balance === 'initial' && balancedWeights(preset)),
  };
}

/**
 * The weights of a preset under `balance: 'initial'`, where its own, in other units, mean nothing. Squared distances of
 * Gram matrices fall to a thousandth of the start's value in a run, those of other statistics to a twentieth, so that
 * equal pictures take other ratios. Total variation is as weak as in the presets that have it: on a photograph at 128
 * pixels, 0.0045 (neural-style) and 0.0065 (crowsonkb) times content.
 */
const balancedWeights = ({ style: { statistic = 'gram', distance = 'mse' }, totalVariation }: Preset) => ({
  alpha: 1,
  beta: statistic === 'gram' && distance === 'mse' ? 30 : 1,
  ...(totalVariation && { totalVariation: { weight: 0.005, reduction: 'mean' as const } }),
});

function allZero(value: unknown, layers: readonly LayerName[]): InvalidArgumentError {
  const one = `a number above 0 for one of ${layers.join(', ')}; without style, beta is 0`;
  return new InvalidArgumentError('OUT_OF_RANGE', `layerWeights are all 0; accepted: ${one}.`, {
    option: 'layerWeights',
    value,
    accepted: one,
  });
}
