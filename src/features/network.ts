import { WeightsError } from '../errors';
import { showText } from '../options/show';
import type { NamedTensors } from '../weights/tensor-file';
import type { LayerName } from './layer-name';
import type { Padding } from './padding';

export type { NamedTensor, NamedTensors } from '../weights/tensor-file';

/** A network as data: the steps applied to an image. Weights are separate, as {@link NamedTensors}. */
export interface Network {
  /** Name in reports: `'vgg19'`. */
  readonly name: string;
  /** The conversion of an image to the input of the first step. */
  readonly input: Normalization;
  /** Steps in the order of computation; each reads the output of the one before. */
  readonly steps: readonly NetworkStep[];
}

/** The conversion of an RGB image in [0,1] to a network's input: scale * image + offset. */
export interface Normalization {
  /** Factor for R, G, B. */
  readonly scale: readonly [number, number, number];
  /** Added to R, G, B after the factor. */
  readonly offset: readonly [number, number, number];
}

/** One step of a network. Its name is that of the layer it computes. */
export type NetworkStep = ConvStep | ReluStep | PoolStep;

/** A 3x3 convolution with stride 1, padding 1 and a bias. */
export interface ConvStep {
  readonly op: 'conv';
  readonly name: LayerName;
  readonly channelsIn: number;
  readonly channelsOut: number;
  /** Name of the weights [3, 3, channelsIn, channelsOut]. The first step's input channels are R, G, B. */
  readonly kernel: string;
  /** Name of the bias [channelsOut]. */
  readonly bias: string;
  /** @default 'zero' */
  readonly padding?: Padding | undefined;
}

/** max(0, x) */
export interface ReluStep {
  readonly op: 'relu';
  readonly name: LayerName;
}

/** The maximum or the mean of each 2x2 window, stride 2; a last odd row or column is ignored. */
export interface PoolStep {
  readonly op: 'maxPool' | 'averagePool';
  readonly name: LayerName;
}

/** A network with its weights, for an engine to load. */
export interface LoadedNetwork {
  readonly network: Network;
  /** The tensors of every step, and perhaps others. */
  readonly weights: NamedTensors;
  /** Source of the weights, for reports: `'VGG-19 from ../vgg19'`. */
  readonly weightsName: string;
  /** Whether the weights are those of the small network of this package. */
  readonly embedded?: boolean | undefined;
}

/** Whether a step is a pooling. */
export const isPool = (step: NetworkStep): step is PoolStep =>
  step.op === 'maxPool' || step.op === 'averagePool';

/**
 * Kernel and bias of a convolution.
 * @throws WeightsError `WRONG_WEIGHTS` unless both exist and have the shapes that the step requires
 */
export function convolutionWeights(
  step: ConvStep,
  weights: NamedTensors,
): { kernel: Float32Array; bias: Float32Array } {
  const { kernel, bias, channelsIn, channelsOut } = step;
  return {
    kernel: tensorValues(step.name, kernel, [3, 3, channelsIn, channelsOut], weights),
    bias: tensorValues(step.name, bias, [channelsOut], weights),
  };
}

/**
 * The values of a tensor.
 *
 * @param owner the layer or network that needs it, for the error
 * @throws WeightsError `WRONG_WEIGHTS` if it is missing or has another shape
 */
export function tensorValues(
  owner: string,
  name: string,
  shape: readonly number[],
  weights: NamedTensors,
): Float32Array {
  const found = weights.get(name);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const fits = found?.shape.length === shape.length && found.shape.every((extent, i) => extent === shape[i]);
  if (found && fits && found.values.length === size) return found.values;
  const value = found ? `[${found.shape}] with ${found.values.length} numbers` : 'nothing';
  const accepted = `[${shape}] with ${size} numbers`;
  throw new WeightsError(
    'WRONG_WEIGHTS',
    `Weights ${showText(name)} of ${showText(owner)}: found ${value}; accepted: ${accepted}.`,
    { option: owner, value, accepted },
  );
}
