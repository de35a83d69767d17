import type { ReadWeightsOptions } from '../../weights/tensor-file';
import type { ConvLayer } from './layers';

/**
 * What a network's weights expect of their input: `caffe`, BGR 0..255 minus a mean (Keras, the authors' own VGG-19), or
 * `torchvision`, RGB 0..1 normalised by mean and standard deviation. The network's input does it and brings both to
 * torchvision's scale.
 */
export type WeightConvention = 'caffe' | 'torchvision';

/** Every {@link WeightConvention}. */
export const weightConventions: readonly WeightConvention[] = ['caffe', 'torchvision'];

/** Kernel and bias of one convolution, in the source's own convention. */
export interface LayerWeights {
  /** [3, 3, channels in, channels out] (HWIO), row-major. */
  readonly kernel: Float32Array;
  /** [channels out] */
  readonly bias: Float32Array;
}

/** Kernels and biases by convolution. */
export type LayersWeights = ReadonlyMap<ConvLayer, LayerWeights>;

/** Somewhere VGG-19's weights can be read from. Write another by implementing this. */
export interface WeightSource {
  /** For people: `'VGG-19 from https://...'`. Reported in results. */
  readonly name: string;
  /** Ask after reading: some files say themselves what they are. */
  readonly convention: WeightConvention;
  /** The convolutions that the source has; undefined when only reading tells. */
  readonly layers?: readonly ConvLayer[] | undefined;
  /** True for the small network that comes with this package: reports say that it is not VGG-19. */
  readonly embedded?: boolean | undefined;
  /**
   * Reads these convolutions and, as far as its storage allows, nothing else.
   * @returns the weights of every layer that was asked for; they belong to the caller, who does not change them
   * @throws WeightsError if a layer is missing or is not VGG-19's
   */
  read(layers: readonly ConvLayer[], options?: ReadWeightsOptions): Promise<LayersWeights>;
}
