import type { Normalization } from './network';
import type { Padding } from './padding';

/**
 * A feed-forward network from an image to an image as data. Weights are separate, as named tensors.
 *
 * Steps are computed in their order. Each reads the output of the step before, or of the step named by `from`; the
 * name `'input'` stands for the image after {@link GeneratorNetwork.input}. The last step has three channels, and
 * {@link GeneratorNetwork.output} converts it to RGB in [0,1], clipped.
 */
export interface GeneratorNetwork {
  /** Name of the architecture in reports and files: `'johnson'`. */
  readonly name: string;
  /** The conversion of an image to the input of the first step. */
  readonly input: Normalization;
  readonly steps: readonly GeneratorStep[];
  /** The conversion of the last step's values to an image: scale * value + offset. */
  readonly output: Normalization;
}

/** One step of a generator. */
export type GeneratorStep =
  | GeneratorConvStep
  | TransposedConvStep
  | InstanceNormStep
  | ActivationStep
  | AddStep
  | ConcatStep
  | UpsampleStep
  | AveragePoolStep
  | NoiseStep;

interface NamedStep {
  /** Unique among the steps. */
  readonly name: string;
  /** The step whose output is read. @default the step before */
  readonly from?: string | undefined;
}

/** A convolution. */
export interface GeneratorConvStep extends NamedStep {
  readonly op: 'conv';
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Rows and columns of the kernel, odd. */
  readonly size: number;
  /** @default 1 */
  readonly stride?: 1 | 2 | undefined;
  readonly padding: Padding;
  /**
   * Rows and columns that are added before and behind. With stride 2 and an even extent, `[1, 1]` and TensorFlow's
   * `[0, 1]` differ by half a pixel. @default [(size - 1) / 2, (size - 1) / 2]
   */
  readonly pads?: readonly [before: number, behind: number] | undefined;
  /** Name of the weights [size, size, channelsIn, channelsOut]. */
  readonly kernel: string;
  /** Name of the bias [channelsOut]; without one there is none. */
  readonly bias?: string | undefined;
}

/** A transposed convolution of stride 2, which doubles height and width. */
export interface TransposedConvStep extends NamedStep {
  readonly op: 'transposedConv';
  readonly channelsIn: number;
  readonly channelsOut: number;
  readonly size: number;
  /**
   * Which output position the kernel's first row stands at for the first input row: -pads[0]. PyTorch's padding 1 with
   * output padding 1 is 1 for a kernel of 3.
   */
  readonly pad: number;
  /** Name of the weights [size, size, channelsIn, channelsOut], the kernel of the input's spreading. */
  readonly kernel: string;
  readonly bias?: string | undefined;
}

/**
 * (x - mean) / sqrt(variance + epsilon) * scale + shift, by channel over all positions of the whole image. Conditional
 * instance normalisation is the same step: its scale and shift are computed before, and set for each run.
 */
export interface InstanceNormStep extends NamedStep {
  readonly op: 'instanceNorm';
  readonly channels: number;
  /** Name of the scale [channels]. */
  readonly scale: string;
  /** Name of the shift [channels]. */
  readonly shift: string;
  /** @default 1e-5 */
  readonly epsilon?: number | undefined;
}

/** A function of each value. */
export interface ActivationStep extends NamedStep {
  readonly op: 'relu' | 'leakyRelu' | 'sigmoid' | 'tanh';
  /** Factor of negative values, of `'leakyRelu'` only. @default 0.01 */
  readonly slope?: number | undefined;
}

/** The sum with the output of another step: residual blocks, skips. */
export interface AddStep extends NamedStep {
  readonly op: 'add';
  readonly with: string;
}

/** Channels of this input, then those of another step's output. */
export interface ConcatStep extends NamedStep {
  readonly op: 'concat';
  readonly with: string;
}

/** Each value twice in both directions (nearest neighbour). */
export interface UpsampleStep extends NamedStep {
  readonly op: 'upsample';
}

/** The mean of each `factor` x `factor` window. */
export interface AveragePoolStep extends NamedStep {
  readonly op: 'averagePool';
  readonly factor: number;
}

/** Channels of uniform noise in [0,1), in the size of the step's input, whose values are not read. */
export interface NoiseStep extends NamedStep {
  readonly op: 'noise';
  readonly channels: number;
}
