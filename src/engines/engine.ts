import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { ErrorCode } from '../error-codes';
import type { FeatureExtractor } from '../features/extractor';
import type { GeneratorNetwork } from '../features/generator-network';
import type { GeneratorParameter } from '../features/generator-parameters';
import type { LayerName } from '../features/layer-name';
import type { LoadedNetwork } from '../features/network';
import type { Image } from '../image/image';
import type { GramMatrixOptions } from '../losses/gram-matrix';
import type { ObjectiveExtractor } from '../objective';
import type { WeightCache } from '../storage/byte-cache';
import type { WeightsWarning } from '../storage/progress';
import type { NamedTensors } from '../weights/tensor-file';

/**
 * An implementation that computes networks: operations of tfjs, kernels of this library, or a custom engine.
 *
 * Make one by `wasm({ threads })` or `tfjs()` and give it to `loadVgg19` or `styleTransfer` as `engine`.
 */
export interface Engine {
  /** Name in reports and of the option `engine`: `'wasm'`. */
  readonly name: string;
  /**
   * A missing requirement of the platform, as a phrase: `'WebAssembly with SIMD'`; undefined if the engine runs here.
   */
  unsupported(): string | undefined;
  /** Code of the error if the engine is chosen and does not run here. @default 'ENGINE_UNSUPPORTED' */
  readonly unsupportedCode?: ErrorCode | undefined;
  /** Whether `engine: 'auto'` may choose it while this tfjs backend is active. */
  suits(backend: string): boolean;
  /**
   * Loads a network.
   * @returns an extractor that belongs to the caller
   * @throws EnvironmentError if the engine does not start here
   */
  load(network: LoadedNetwork, options?: EngineLoadOptions): Promise<EngineExtractor>;
  /**
   * Loads a feed-forward network. Optional; callers fall back to operations of tfjs.
   * @returns a program that belongs to the caller
   * @throws EnvironmentError if the engine does not start here, or lacks an operation of the network
   */
  loadGenerator?(network: LoadedGenerator, options?: EngineLoadOptions): Promise<GeneratorProgram>;
}

/** A feed-forward network with its weights, for an engine to load. */
export interface LoadedGenerator {
  readonly network: GeneratorNetwork;
  /** The tensors of every step, and perhaps others. */
  readonly weights: NamedTensors;
}

/** A feed-forward network in an engine. Images' sides are multiples of what the network's strides require. */
export interface GeneratorProgram {
  /** The tensors of the network's steps, in the order of the steps: where each lies in a vector of all parameters. */
  readonly parameters: readonly GeneratorParameter[];
  /** Replaces parameters, all of them in one vector. */
  setParameters(values: Float32Array): void;
  /** Computes an image, by tiles if it does not fit into memory as a whole. The image belongs to the caller. */
  run(image: Image, options?: GeneratorRunOptions): Promise<Image>;
  /**
   * Computes an image and the gradient of a loss of it with respect to all parameters.
   *
   * @param lossGradient gets the image, which it does not keep, and returns the loss's gradient with respect to it, in
   *   the image's shape, which the program disposes
   */
  gradients(
    image: Image,
    lossGradient: (output: Image) => Tensor3D | Promise<Tensor3D>,
    options?: GeneratorRunOptions,
  ): Promise<Float32Array>;
  /** Frees the engine's memory. Safe to call twice; any later use throws `DISPOSED`. */
  dispose(): void;
}

/** Options of a {@link GeneratorProgram}'s functions. */
export interface GeneratorRunOptions {
  /** Seed of noise steps. @default 0 */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Engine.load}. */
export interface EngineLoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called if the engine starts with restrictions, such as fewer threads. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
  /** The cache of weights, where an engine may keep what it has measured; undefined for none. */
  readonly cache?: WeightCache | undefined;
}

/** A run whose memory is planned by {@link EngineExtractor.plan}. Sizes are those after resizing. */
export interface MemoryRequest {
  /** All layers of the loss. */
  readonly layers: readonly LayerName[];
  /** [height, width] of the painted image. */
  readonly size: readonly [height: number, width: number];
  /** Layers with a target of the whole feature map's size, as content and perceptual losses have. */
  readonly featureTargets?: readonly LayerName[] | undefined;
  /** Gram matrices that are targets, and the size of the image that they are computed from. */
  readonly style?:
    | { readonly layers: readonly LayerName[]; readonly size: readonly [height: number, width: number] }
    | undefined;
  /**
   * Masks of terms: how many regions have Gram matrices of their own in place of those of the whole image, and whether
   * content is weighted.
   */
  readonly masks?: { readonly styles: number; readonly content: boolean } | undefined;
  /**
   * Whether the loss can be computed by tiles: its terms on layers other than the image itself are all data.
   * @default true
   */
  readonly tileable?: boolean | undefined;
  /**
   * Bytes that may be used for feature maps, targets and tiles, beside the network's weights.
   * @default what the engine can address
   */
  readonly room?: number | undefined;
}

/** The memory that a run takes in its engine, beside the network's weights and the optimiser's vectors. */
export interface MemoryPlan {
  /** Bytes at the peak. */
  readonly bytes: number;
  /** Bytes of feature maps and gradients, of one tile or of the whole image. */
  readonly maps: number;
  /** Bytes of targets of feature maps' size that are held; 0 where tiles compute them anew from an image. */
  readonly targets: number;
  /** Number of tiles that the image is computed in; 1 is the image as a whole. */
  readonly tiles: number;
  /** Work of an evaluation, as a multiple of that of the image as a whole. @default 1 */
  readonly work?: number | undefined;
}

/** Options of {@link EngineExtractor.gramMatrices}. */
export interface GramMatricesOptions extends GramMatrixOptions {
  /**
   * Weights of the image's pixels, [height, width, 1], at least 0: the matrices are those of a region, see
   * `guidedGramMatrix`. It remains the caller's.
   */
  readonly mask?: Tensor3D | undefined;
  /**
   * Bytes that may be used beside the network's weights; a larger image is computed by tiles.
   * @default what the engine can address
   */
  readonly room?: number | undefined;
}

/** Gram matrices [channels, channels] by layer. */
export type GramMatrices = Readonly<Partial<Record<LayerName, Tensor2D>>>;

/** Optional functions of an engine's extractor beyond {@link FeatureExtractor}. */
export interface EngineExtractor extends FeatureExtractor, ObjectiveExtractor {
  /**
   * Plans the memory of a run, before any work and before images are resized: the image as a whole if that fits into
   * the room, else the tiles that fit and take the least work. Optional; without it nothing is known and nothing is
   * checked.
   * @throws EnvironmentError `OUT_OF_MEMORY` with an estimate and the largest size that fits, if nothing does
   */
  plan?(request: MemoryRequest): MemoryPlan;
  /**
   * Bytes that an optimiser's vectors can take in memory of the engine; undefined if the engine sets no limit of its
   * own.
   */
  readonly vectorRoom?: number | undefined;
  /**
   * Gram matrices [channels, channels] of an image's layers, as `gramMatrix` of each feature map, but within the room
   * that there is; the wasm engine makes no tensors of maps, and takes sums in double precision. Optional; callers fall
   * back to `gramMatrix`.
   * @returns the matrices by layer, which belong to the caller
   * @throws EnvironmentError `OUT_OF_MEMORY` with an estimate, before any work, if the image is too large
   */
  gramMatrices?(image: Image, layers: readonly LayerName[], options?: GramMatricesOptions): GramMatrices;
  /**
   * {@link gramMatrices}, asynchronous with turns for other tasks, so that a large image does not block the program.
   * @throws the signal's reason once it is aborted
   */
  gramMatricesInTurns?(
    image: Image,
    layers: readonly LayerName[],
    options?: GramMatricesOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<GramMatrices>;
  /**
   * What `compute` gives, once it is known that the engine's device has computed it. Optional, of engines whose devices
   * tell of errors after a call has returned.
   * @throws what `compute` throws, or the device's error
   */
  verified?<R>(compute: () => Promise<R>): Promise<R>;
}

/** {@link EngineExtractor.verified}, or `compute` alone where an extractor's errors are thrown by its calls. */
export const verifiedBy = <R>(extractor: EngineExtractor, compute: () => Promise<R>): Promise<R> =>
  extractor.verified?.(compute) ?? compute();
