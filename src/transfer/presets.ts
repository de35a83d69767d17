import type { Padding } from '../features/padding';
import type { Vgg19Layer } from '../features/vgg19/layers';
import type { Pooling } from '../features/vgg19/network';
import { deepestPaperLayer, paperContentLayers, paperLayers } from '../features/vgg19/paper-layers';
import type { Distance, StyleDistance } from '../losses/distance';
import type { GramNormalization } from '../losses/gram-matrix';
import type { StyleStatistic } from '../losses/style-statistics';
import { adam, type Method } from '../optim';
import { requireName } from '../options/validate';

/**
 * A published setting. Network input, layers, normalisation, reduction and weights belong together: published weights
 * are valid only with the rest. All are for features on torchvision's scale, which the extractor returns for weights of
 * either convention.
 */
export interface Preset {
  readonly name: PresetName;
  readonly description: string;
  /** The content loss: its layers and distance; alpha weights it. */
  readonly content: {
    readonly layers: readonly Vgg19Layer[];
    readonly distance: Distance;
    /** Whether it is divided by the variance of the content's features, as `contentLoss` does. @default false */
    readonly relative?: boolean;
    /** Least variance that it is divided by, as `contentLoss` has it. @default that of `contentLoss` */
    readonly floor?: number;
  };
  /** The style loss; beta weights it. */
  readonly style: PresetStyle;
  /** A second content loss at deeper layers, with a weight of its own. */
  readonly perceptual?: {
    readonly layers: readonly Vgg19Layer[];
    readonly distance: Distance;
    readonly weight: number;
  };
  /**
   * Weight of the total variation, the mean over neighbours of their squared difference; times the number of components
   * of the image where the published loss takes the sum.
   * @default none
   */
  readonly totalVariation?: { readonly weight: number; readonly reduction: 'mean' | 'sum' };
  readonly pooling: Pooling;
  /** What the first convolution reads beyond the border. @default 'zero' */
  readonly padding?: Padding | undefined;
  readonly alpha: number;
  readonly beta: number;
  readonly iterations: number;
  /** The sizes of `scales: 'auto'`. @default those of the library */
  readonly scales?: PresetScales;
  /** The default of the option `average`. @default 0 */
  readonly average?: number;
  /** Makes the default of the option `optimizer`. @default the library's */
  readonly optimizer?: () => Method<unknown>;
}

/** The style loss of a {@link Preset}. */
export interface PresetStyle {
  readonly layers: readonly Vgg19Layer[];
  /** What of a feature map stands for style. @default 'gram' */
  readonly statistic?: StyleStatistic;
  /** Scale of Gram matrices. */
  readonly normalization: GramNormalization;
  /** Distance of Gram matrices. @default 'mse' */
  readonly distance?: StyleDistance;
  /** A factor for each layer, in the order of `layers`. @default 1 each */
  readonly layerWeights?: readonly number[];
}

/** Sizes of a run by a rule: the last is that of the result, and each one before is smaller by a factor. */
export interface PresetScales {
  /** Ratio of a size to the one before, above 1. */
  readonly factor: number;
  /** Smallest size in pixels; a smaller result has one size. */
  readonly least: number;
  /** Number of sizes at most. @default Infinity */
  readonly most?: number;
  /** Iterations of sizes after the first, as a part of the first's. @default a half, a third, … */
  readonly later?: number;
}

/** A published setting by name. */
export type PresetName =
  | 'li2021'
  | 'li2021-l1'
  | 'li2021-perceptual'
  | 'li2021-baseline'
  | 'pytorch-tutorial'
  | 'gatys2016'
  | 'neural-style'
  | 'crowsonkb'
  | 'painting'
  | 'relative';

/**
 * Li et al. 2021: content at the fourth convolution, style at the first five, alpha = 1, beta = 1e6, Gram matrices
 * divided by their number of elements (step 2). Iterations: theirs are 300 of PyTorch's L-BFGS; ours reaches that loss
 * after about 100.
 */
const paper = {
  content: { layers: paperContentLayers, distance: 'mse' },
  style: { layers: paperLayers, normalization: 'elements' },
  pooling: 'max',
  alpha: 1,
  beta: 1e6,
  iterations: 100,
} as const;

/** Li et al. 2021, eq. 5: the magnitude of the difference instead of its square, for robustness to outliers. */
const l1Content = { layers: paperContentLayers, distance: 'l1' } as const;

/**
 * Li et al. 2021, fig. 3, give neither formula nor weight: "compare the differences of images in high-level semantic
 * information". Read as the feature reconstruction of Johnson et al. 2016, eq. 2, at the deepest of the paper's layers,
 * as heavy as content.
 */
const perceptual = { layers: [deepestPaperLayer], distance: 'mse', weight: 1 } as const;

/** The layers of Gatys et al. 2016, which most programs since compare. */
const gatysLayers = ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1', 'relu5_1'] as const;

const byName: Readonly<Record<PresetName, Preset>> = {
  li2021: {
    name: 'li2021',
    description: 'Li et al. 2021, their improved model: L1 content, Gram style and perceptual loss',
    ...paper,
    content: l1Content,
    perceptual,
  },
  'li2021-l1': {
    name: 'li2021-l1',
    description: 'Li et al. 2021 with L1 content only',
    ...paper,
    content: l1Content,
  },
  'li2021-perceptual': {
    name: 'li2021-perceptual',
    description: 'Li et al. 2021 with perceptual loss only',
    ...paper,
    perceptual,
  },
  'li2021-baseline': {
    name: 'li2021-baseline',
    description: 'Li et al. 2021 before their improvements: squared content and Gram style',
    ...paper,
  },
  'pytorch-tutorial': {
    name: 'pytorch-tutorial',
    // Jacq, "Neural Transfer Using PyTorch": conv_4 for content, conv_1 to conv_5 for style, style_weight 1000000,
    // content_weight 1.
    description: "PyTorch's tutorial, which Li et al. 2021 follow",
    ...paper,
  },
  gatys2016: {
    name: 'gatys2016',
    description: 'Gatys et al. 2016: content at relu4_2, style at relu1_1 to relu5_1',
    content: { layers: ['relu4_2'], distance: 'mse' },
    style: { layers: gatysLayers, normalization: 'elements' },
    pooling: 'max',
    // The weights of Gatys' own PyTorch program (content 1, style 1e3 / channels^2 for Gram matrices by positions,
    // means of squares, Caffe's scale of features). Features here are that scale's divided by 57.63, and Gram matrices
    // divided by channels too, so style against content gains a factor 57.63^2 and the channels cancel: 1e3 * 57.63^2.
    alpha: 1,
    beta: 3.32e6,
    iterations: 150,
  },
  'neural-style': {
    name: 'neural-style',
    description: "Johnson's neural-style: as gatys2016, nearer to the content, with total variation",
    // Johnson 2015, github.com/jcjohnson/neural-style, neural_style.lua: content_weight 5, style_weight 1e2 for Gram
    // matrices divided by elements, means of squares, tv_weight 1e-3 for half the sum of squared differences of
    // neighbours; all for Caffe's scale, U = 57.63 times that of features here. Divided by U^2: 5 content,
    // 1e2 U^2 style, and pixels there are 256 of ours, so total variation 1e-3 / 2 * 256^2 / U^2. Not as there: the
    // start, which is noise there; one size of 512 pixels and 1000 iterations of an L-BFGS without line search.
    content: { layers: ['relu4_2'], distance: 'mse' },
    style: { layers: gatysLayers, normalization: 'elements' },
    totalVariation: { weight: 9.87e-3, reduction: 'sum' },
    pooling: 'max',
    alpha: 5,
    beta: 3.32e5,
    iterations: 150,
  },
  crowsonkb: {
    name: 'crowsonkb',
    description:
      "Crowson's style-transfer-pytorch: Wasserstein distance at relu1_1 to relu5_1, in sizes from 128 on",
    // Crowson 2021, github.com/crowsonkb/style-transfer-pytorch, style_transfer/style_transfer.py: content_weight
    // 0.015, style weights 256:64:16:4:1 of sum 1, tv_weight 2 (a nine-point stencil there, equal on smooth images),
    // the first convolution's replicated border, sizes from 128 by factors of the root of 2, Adam with rate 0.02 and
    // beta2 0.99, averages with decay 0.99, each size from the average of the one before, twice as many iterations at
    // the first size as at the others. Not as there: 1000 iterations at the first size, weights of torchvision's own
    // training, and Adam's state, which is carried from size to size there.
    content: { layers: ['relu4_2'], distance: 'mse' },
    style: {
      layers: gatysLayers,
      statistic: 'wasserstein',
      normalization: 'positions',
      layerWeights: [256, 64, 16, 4, 1].map((weight) => weight / 341),
    },
    totalVariation: { weight: 2, reduction: 'mean' },
    pooling: 'max',
    padding: 'replicate',
    alpha: 0.015,
    beta: 1,
    iterations: 200,
    scales: { factor: Math.SQRT2, least: 128, later: 0.5 },
    average: 0.99,
    optimizer: () => adam({ learningRate: 0.02, beta2: 0.99 }),
  },
  painting: {
    name: 'painting',
    description: "this library's own: relative losses in three sizes, which keep the subject clear",
    // Not published. Distances are relative, so that beta means the same at every size and layer. Style is squared: its
    // pull falls as the painting comes near, so that easy pairs keep their subject and hard ones are painted too; with
    // the norm, no beta did both. So does the floor: content of less contrast than most counts as if it had so much.
    // Large shapes come from the smaller sizes. More total variation costs style and content alike; noise stays below
    // the painting's without. Measured by `npm run compare:presets`.
    content: { layers: ['relu4_2'], distance: 'mse', relative: true, floor: 160 },
    style: {
      layers: ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1'],
      normalization: 'elements',
      distance: 'relative-mse',
    },
    totalVariation: { weight: 0.03, reduction: 'mean' },
    pooling: 'max',
    padding: 'replicate',
    alpha: 1,
    beta: 2.2,
    iterations: 50,
    scales: { factor: Math.SQRT2, least: 96, most: 3, later: 0.9 },
  },
  relative: {
    name: 'relative',
    description:
      "this library's own: relative losses without sizes or units, by which generators are trained",
    // Not published. Both terms have no unit, so that beta means the same for every painting and size: content is 1
    // where nothing of the photograph is left, and each of the four layers of style is 1 where there is nothing. Layers
    // are those of Gatys et al. without the deepest, and content lies a block higher. Generators that are trained for a
    // few hundred steps keep the subject with these losses and lose it with squared ones, whatever their weights; 1.5
    // in place of 1.2 makes bolder strokes.
    content: { layers: ['relu3_1'], distance: 'mse', relative: true },
    style: {
      layers: ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1'],
      normalization: 'elements',
      distance: 'relative',
    },
    pooling: 'max',
    alpha: 1,
    beta: 1.2,
    iterations: 50,
  },
};

/** The names of all presets. */
export const presetNames = Object.keys(byName) as readonly PresetName[];

/** The default preset: the improved model of Li et al. 2021. */
export const defaultPreset: PresetName = 'li2021';

/**
 * A preset by name.
 *
 * @throws InvalidArgumentError if there is none of that name; the message names the nearest
 */
export function getPreset(name: PresetName): Preset {
  requireName('preset', name, presetNames);
  return byName[name];
}

/** Every layer of VGG-19 that the losses of a preset read. */
export function presetLayers({ content, style, perceptual }: Preset): readonly Vgg19Layer[] {
  return [...new Set([...content.layers, ...style.layers, ...(perceptual?.layers ?? [])])];
}
