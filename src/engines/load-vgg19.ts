import * as tf from '@tensorflow/tfjs-core';
import { identified } from '../features/network-identity';
import { type Padding, paddings } from '../features/padding';
import { readLayers } from '../features/vgg19/check-layers';
import { convolutionsUpTo, type Vgg19Layer, vgg19Layers } from '../features/vgg19/layers';
import { loadedVgg19, type Pooling } from '../features/vgg19/network';
import { deepestPaperLayer } from '../features/vgg19/paper-layers';
import { resolveWeights, type Weights } from '../features/vgg19/resolve-weights';
import { abortSignal, any, callback, oneOf, optionTable } from '../options/table';
import { disposable } from '../owning';
import { anyPlatform, type Platform, requireBackend } from '../platform';
import { browserCache } from '../storage/browser-cache';
import type { WeightsProgress, WeightsWarning } from '../storage/progress';
import type { Engine, EngineExtractor } from './engine';
import { type EngineOptions, engineOptions, enginesFor, passedOver } from './engine-options';
import { loadBy } from './load-by';
import { listening } from './shared/listening';

export type { Weights };

/** Options of {@link loadVgg19}. */
export interface LoadVgg19Options extends EngineOptions {
  /** Source of the weights. @default VGG-19 if the cache holds every needed layer, else the embedded network */
  readonly weights?: Weights | undefined;
  /** The network ends after this layer; deeper weights are not read. @default 'conv3_1' */
  readonly lastLayer?: Vgg19Layer | undefined;
  /** Pooling of 2x2 windows. @default 'max' */
  readonly pooling?: Pooling | undefined;
  /**
   * What the first convolution reads beyond the image's border: zeros, as VGG-19 was trained, the nearest pixel
   * (`'replicate'`), or the mirror image (`'reflect'`). Zeros are black or grey to the network, and leave a strip of
   * other colours along the border of painted images.
   * @default 'zero'
   */
  readonly padding?: Padding | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes that have arrived and an estimate of the remaining time. */
  readonly onProgress?: ((progress: WeightsProgress) => void | Promise<void>) | undefined;
  /**
   * Called for problems that do not prevent loading: a cache that cannot be written, threads that do not start. If a
   * listener throws or rejects, loading rejects with that error.
   */
  readonly onWarning?: ((warning: WeightsWarning) => void | Promise<void>) | undefined;
}

/** What {@link loadVgg19} returns: an extractor that the declaration `using` disposes at the end of its block. */
export interface LoadedExtractor extends EngineExtractor {
  /** Calls `dispose()`. */
  [Symbol.dispose](): void;
}

/** The default last layer of a network: the deepest of Li et al. 2021. */
export const defaultLastLayer: Vgg19Layer = deepestPaperLayer;

/** Options of {@link loadVgg19} with their defaults. */
export const loadVgg19Options = optionTable<LoadVgg19Options>()('loadVgg19', {
  weights: any<Weights>('see resolveWeights, which checks it', () => true),
  lastLayer: oneOf(vgg19Layers, { default: defaultLastLayer }),
  pooling: oneOf(['max', 'average'] as readonly Pooling[], { default: 'max' }),
  padding: oneOf(paddings, { default: 'zero' }),
  ...engineOptions,
  signal: abortSignal(),
  onProgress: callback<(progress: WeightsProgress) => void | Promise<void>>(),
  onWarning: callback<(warning: WeightsWarning) => void | Promise<void>>(),
});

/**
 * VGG-19's convolutional part as a feature extractor, cut after `lastLayer`.
 *
 * @returns an extractor, whose features are tensors on the active tfjs backend; it belongs to the caller, also as
 * `using extractor = ...`
 * @throws InvalidArgumentError for an unknown option, layer or engine, or options that conflict
 * @throws EnvironmentError if no tfjs backend is set up, or the chosen engine does not run here
 * @throws WeightsError if the weights cannot be obtained or are not VGG-19's
 * @example
 * ```ts
 * const extractor = await loadVgg19({ weights: 'https://example.org/vgg19/model.json' });
 * const features = extractor.extract(image, ['conv2_2']);
 * ```
 */
export async function loadVgg19(options: LoadVgg19Options = {}): Promise<LoadedExtractor> {
  return loadVgg19On(anyPlatform, options);
}

/** {@link loadVgg19} on a platform. */
export async function loadVgg19On(
  platform: Platform<never>,
  options: LoadVgg19Options,
): Promise<LoadedExtractor> {
  const settings = loadVgg19Options.read(options);
  const { weights, lastLayer, pooling, padding, signal } = settings;
  const convolutions = convolutionsUpTo(lastLayer);
  return listening(
    async (hear) => {
      const [onProgress, onWarning] = [hear(settings.onProgress), hear(settings.onWarning)];
      await requireBackend(platform, onWarning, settings.engine === 'auto' ? 'warn' : undefined);
      const engines = enginesFor(settings, tf.getBackend());
      const warning = settings.engine === 'auto' ? passedOver(tf.getBackend(), engines[0]) : undefined;
      if (warning) onWarning?.(warning);
      const resolving = { platform: platform.weights, signal, onWarning };
      const { source, embedded } = await resolveWeights(weights, convolutions, resolving);
      const read = await readLayers(source, convolutions, { signal, onProgress, onWarning });
      const { name: weightsName, convention } = source;
      const network = loadedVgg19(read, { lastLayer, pooling, padding, convention, weightsName, embedded });
      const cache = (platform.weights?.cache ?? browserCache()) || undefined;
      const load = (engine: Engine) => engine.load(network, { signal, onWarning, cache });
      return disposable(identified(await loadBy(engines, load, onWarning), network));
    },
    (extractor) => extractor.dispose(),
  );
}
