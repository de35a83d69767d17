import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { ErrorCode } from '../error-codes';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { LoadedNetwork } from '../features/network';
import type { Image } from '../image/image';
import type { GramMatrixOptions } from '../losses/gram-matrix';
import type { ObjectiveExtractor } from '../objective';
import type { WeightsWarning } from '../storage/progress';

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
}

/** Options of {@link Engine.load}. */
export interface EngineLoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called if the engine starts with restrictions, such as fewer threads. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
}

/** Memory of a run beside the feature maps of its objective, for {@link EngineExtractor.requireRoom}. */
export interface RoomRequest {
  /** Layers with a target of the whole feature map's size, as content and perceptual losses have. */
  readonly featureTargets?: readonly LayerName[] | undefined;
  /** Gram matrices that are targets, and the size of the image that they are computed from. */
  readonly style?:
    | { readonly layers: readonly LayerName[]; readonly size: readonly [height: number, width: number] }
    | undefined;
  /** Vectors of the image's size that the optimiser holds at most. @default 0 */
  readonly vectors?: number | undefined;
}

/** Gram matrices [channels, channels] by layer. */
export type GramMatrices = Readonly<Partial<Record<LayerName, Tensor2D>>>;

/** Optional functions of an engine's extractor beyond {@link FeatureExtractor}. */
export interface EngineExtractor extends FeatureExtractor, ObjectiveExtractor {
  /**
   * Checks that losses at `layers` can be minimised at an image size, before any work; sizes are those after resizing,
   * so that the check can come before it. Optional; without it nothing is checked.
   * @param size [height, width] of the painted image
   * @throws EnvironmentError `OUT_OF_MEMORY` with an estimate if they cannot
   */
  requireRoom?(
    layers: readonly LayerName[],
    size: readonly [height: number, width: number],
    beside?: RoomRequest,
  ): void;
  /**
   * Gram matrices [channels, channels] of an image's layers, as `gramMatrix` of each feature map, but without maps as
   * tensors and with sums in double precision. Optional; callers fall back to `gramMatrix`.
   * @returns the matrices by layer, which belong to the caller
   * @throws EnvironmentError `OUT_OF_MEMORY` with an estimate, before any work, if the image is too large
   */
  gramMatrices?(image: Image, layers: readonly LayerName[], options?: GramMatrixOptions): GramMatrices;
  /**
   * {@link gramMatrices}, asynchronous with turns for other tasks, so that a large image does not block the program.
   * @throws the signal's reason once it is aborted
   */
  gramMatricesInTurns?(
    image: Image,
    layers: readonly LayerName[],
    options?: GramMatrixOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<GramMatrices>;
}
