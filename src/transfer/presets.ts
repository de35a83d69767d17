import type { Padding } from '../features/padding';
import type { Vgg19Layer } from '../features/vgg19/layers';
import type { Pooling } from '../features/vgg19/network';
import { deepestPaperLayer, paperContentLayers, paperLayers } from '../features/vgg19/paper-layers';
import type { Distance } from '../losses/distance';
import type { GramNormalization } from '../losses/gram-matrix';
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
  readonly content: { readonly layers: readonly Vgg19Layer[]; readonly distance: Distance };
  /** The style loss: layers and scale of its Gram matrices; beta weights it. */
  readonly style: { readonly layers: readonly Vgg19Layer[]; readonly normalization: GramNormalization };
  /** A second content loss at deeper layers, with a weight of its own. */
  readonly perceptual?: {
    readonly layers: readonly Vgg19Layer[];
    readonly distance: Distance;
    readonly weight: number;
  };
  readonly pooling: Pooling;
  /** What the first convolution reads beyond the border. @default 'zero' */
  readonly padding?: Padding | undefined;
  readonly alpha: number;
  readonly beta: number;
  readonly iterations: number;
}

/** A published setting by name. */
export type PresetName =
  | 'li2021'
  | 'li2021-l1'
  | 'li2021-perceptual'
  | 'li2021-baseline'
  | 'pytorch-tutorial'
  | 'gatys2016';

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
    style: { layers: ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1', 'relu5_1'], normalization: 'elements' },
    pooling: 'max',
    // The weights of Gatys' own PyTorch program (content 1, style 1e3 / channels^2 for Gram matrices by positions,
    // means of squares, Caffe's scale of features). Features here are that scale's divided by 57.63, and Gram matrices
    // divided by channels too, so style against content gains a factor 57.63^2 and the channels cancel: 1e3 * 57.63^2.
    alpha: 1,
    beta: 3.32e6,
    iterations: 150,
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
