import type { ConvLayer } from './layers';

/**
 * What a network's weights expect of their input: `caffe`, BGR 0..255 minus a mean (Keras, the authors' own VGG-19), or `torchvision`,
 * RGB 0..1 normalised by mean and standard deviation. The extractor applies it and brings both to torchvision's scale.
 */
export type WeightConvention = 'caffe' | 'torchvision';

/** Kernel and bias of one convolution, in the source's own convention. */
export interface LayerWeights {
  /** [3, 3, channels in, channels out] (HWIO), row-major. */
  readonly kernel: Float32Array;
  /** [channels out] */
  readonly bias: Float32Array;
}

/** What reading weights may tell while it goes on. */
export interface WeightsProgress {
  readonly type: 'weights';
  /** The file or layer that is read. */
  readonly name: string;
  readonly loadedBytes: number;
  /** Undefined where the server does not say. */
  readonly totalBytes: number | undefined;
  /** Estimated from the rate so far; undefined until there is one. */
  readonly secondsLeft: number | undefined;
}

/** Options of {@link WeightSource.read}. */
export interface ReadWeightsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes have arrived, and how long the rest will take. */
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined;
  /** Told of what went wrong without preventing the weights from being read: a cache that cannot be written. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
}

/** Something worth telling that did not prevent the weights from being read. */
export interface WeightsWarning {
  /** Stable under semver: `'CACHE_WRITE_FAILED'`. */
  readonly code: string;
  readonly message: string;
}

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
  /** Reads these convolutions and, as far as its storage allows, nothing else. Throws a `WeightsError`. */
  read(
    layers: readonly ConvLayer[],
    options?: ReadWeightsOptions,
  ): Promise<ReadonlyMap<ConvLayer, LayerWeights>>;
}
