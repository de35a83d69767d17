import type { ActivationStep, AddStep, GeneratorConvStep } from './generator-network';
import type { Normalization } from './network';

/**
 * A network from a style image to the vector that a generator paints by, as data (Ghiasi et al. 2017: MobileNet or
 * Inception up to a mean over all positions, then one linear layer). Weights are separate, as named tensors.
 *
 * Steps are those of a generator and three more; the last has height and width 1, and its channels are the vector.
 */
export interface StylePredictor {
  readonly name: string;
  /** Height and width that style images are resized to. */
  readonly size: number;
  /** The conversion of an image to the input of the first step. */
  readonly input: Normalization;
  readonly steps: readonly PredictorStep[];
}

/** One step of a predictor. */
export type PredictorStep =
  | GeneratorConvStep
  | ActivationStep
  | AddStep
  | DepthwiseConvStep
  | Relu6Step
  | GlobalAveragePoolStep;

/** A convolution of each channel by itself. */
export interface DepthwiseConvStep {
  readonly op: 'depthwiseConv';
  readonly name: string;
  readonly from?: string | undefined;
  readonly channels: number;
  readonly size: number;
  /** @default 1 */
  readonly stride?: 1 | 2 | undefined;
  /** Rows and columns of zeros before and behind. */
  readonly pads: readonly [before: number, behind: number];
  /** Name of the weights [size, size, channels, 1]. */
  readonly kernel: string;
  readonly bias?: string | undefined;
}

/** min(max(0, x), 6) */
export interface Relu6Step {
  readonly op: 'relu6';
  readonly name: string;
  readonly from?: string | undefined;
}

/** The mean of each channel over all positions. */
export interface GlobalAveragePoolStep {
  readonly op: 'globalAveragePool';
  readonly name: string;
  readonly from?: string | undefined;
}
