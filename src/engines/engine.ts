import type { ErrorCode } from '../error-codes';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { LoadedNetwork } from '../features/network';
import type { WeightsWarning } from '../features/vgg19/source';
import type { ObjectiveExtractor } from '../objective';

/**
 * What computes a network: operations of tfjs, kernels of this library, or an engine of your own.
 *
 * Make one by `wasm({ threads })` or `tfjs()` and give it to `loadVgg19` or `styleTransfer` as `engine`.
 */
export interface Engine {
  /** For reports, and for the option `engine`: `'wasm'`. */
  readonly name: string;
  /** What is missing for the engine to run here, as a phrase: `'WebAssembly with SIMD'`; undefined where it runs. */
  unsupported(): string | undefined;
  /** Code of the error where the engine is chosen and does not run here. @default 'ENGINE_UNSUPPORTED' */
  readonly unsupportedCode?: ErrorCode | undefined;
  /** Whether `engine: 'auto'` takes it while this tfjs backend is active. */
  suits(backend: string): boolean;
  /**
   * Takes a network in.
   * @returns an extractor that belongs to the caller
   * @throws EnvironmentError if the engine does not start here
   */
  load(network: LoadedNetwork, options?: EngineLoadOptions): Promise<EngineExtractor>;
}

/** Options of {@link Engine.load}. */
export interface EngineLoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told where the engine starts with less than it would like, as with fewer threads. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
}

/** What an engine's extractor may do beyond {@link FeatureExtractor}. */
export interface EngineExtractor extends FeatureExtractor, ObjectiveExtractor {
  /**
   * Checks that losses at `layers` can be minimised at an image size, before any work. Optional; without it nothing is checked.
   * @param targets layers with a target of the whole feature map's size
   * @throws EnvironmentError `OUT_OF_MEMORY` with an estimate if they cannot
   */
  requireRoom?(
    layers: readonly LayerName[],
    size: readonly [height: number, width: number],
    targets?: readonly LayerName[],
  ): void;
}
