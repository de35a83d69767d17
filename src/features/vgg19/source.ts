import type { ReadWeightsOptions } from '../../weights/tensor-file';
import type { ConvLayer } from './layers';

/**
 * The input that weights expect: `caffe`, BGR 0..255 minus a mean (Keras, the authors' own VGG-19), or `torchvision`,
 * RGB 0..1 normalised by mean and standard deviation. The network's input normalisation converts images accordingly and
 * brings features to torchvision's scale.
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

/** A source of VGG-19's weights. Implement this interface for another source. */
export interface WeightSource {
  /** Name in reports and results: `'VGG-19 from https://...'`. */
  readonly name: string;
  /** Input convention of the weights. Read it after {@link read}: some files state it themselves. */
  readonly convention: WeightConvention;
  /** The convolutions of the source; undefined if unknown before reading. */
  readonly layers?: readonly ConvLayer[] | undefined;
  /** True for the small network of this package, which reports name as not VGG-19. */
  readonly embedded?: boolean | undefined;
  /**
   * Reads these convolutions and, if the storage permits, nothing else.
   * @returns the weights of every requested layer; the caller must not change them
   * @throws WeightsError if a layer is missing or is not VGG-19's
   */
  read(layers: readonly ConvLayer[], options?: ReadWeightsOptions): Promise<LayersWeights>;
}
