import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import { convolutionsUpTo, type Vgg19Layer } from '../features/vgg19/layers';
import { loadedVgg19, type Pooling } from '../features/vgg19/network';
import { resolveWeights, type Weights } from '../features/vgg19/resolve-weights';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import type { WeightsProgress, WeightsWarning } from '../weights/source';
import { createTfjsExtractor } from './tfjs/tfjs-extractor';
import { requireRelaxedSimd, supportsSimd } from './wasm/runtime/wasm-simd';

export type { Weights };

/** What computes the network: tfjs operations on the active backend, or this library's own wasm kernels. */
export type Engine = 'auto' | 'tfjs' | 'wasm';

/** Every {@link Engine}. */
export const engines: readonly Engine[] = ['auto', 'tfjs', 'wasm'];

/** Options of {@link loadVgg19}. */
export interface LoadVgg19Options {
  /** Where the weights are. @default what is there without network: a complete cache, else the embedded network */
  readonly weights?: Weights | undefined;
  /** The network ends after this layer; nothing deeper is read. @default 'conv3_1' */
  readonly lastLayer?: Vgg19Layer | undefined;
  /** @default 'max' */
  readonly pooling?: Pooling | undefined;
  /** @default 'auto' */
  readonly engine?: Engine | undefined;
  /** Threads of the wasm engine. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /**
   * Lets the wasm engine round a * b + c once instead of twice: up to a fifth faster on some processors, but results then differ in the last
   * digits from one to another. Needs a browser that has relaxed SIMD, or Node 22, whatever engine computes. @default false
   */
  readonly relaxedSimd?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes have arrived, and how long the rest will take. */
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined;
  /** Told of what went wrong without preventing the weights from being read: a cache that cannot be written. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
}

/** The layer that a network ends after where nobody says: the deepest of Li et al. 2021. */
export const defaultLastLayer: Vgg19Layer = 'conv3_1';

/**
 * VGG-19's convolutional part as a feature extractor, cut after the last layer that is wanted.
 *
 * @returns an extractor on the active tfjs backend; it belongs to the caller
 * @throws InvalidArgumentError for an unknown option, layer or engine
 * @throws EnvironmentError if no tfjs backend is set up, or WebAssembly lacks what `engine` or `relaxedSimd` asks for
 * @throws WeightsError if the weights cannot be had or are not VGG-19's
 * @example
 * ```ts
 * const extractor = await loadVgg19({ weights: 'https://example.org/vgg19/model.json' });
 * const features = extractor.extract(image, ['conv2_2']);
 * ```
 */
export async function loadVgg19(options: LoadVgg19Options = {}): Promise<FeatureExtractor> {
  requireKnownOptions('loadVgg19', options, [
    'weights',
    'lastLayer',
    'pooling',
    'engine',
    'threads',
    'relaxedSimd',
    'signal',
    'onProgress',
    'onWarning',
  ]);
  const {
    weights,
    lastLayer = defaultLastLayer,
    pooling = 'max',
    engine = 'auto',
    threads,
    relaxedSimd = false,
    signal,
    onProgress,
    onWarning,
  } = options;
  requireName('pooling', pooling, ['max', 'average']);
  requireName('engine', engine, engines);
  if (threads !== undefined) requireNumber('threads', threads, { min: 1, max: 64, integer: true });
  requireRelaxedSimd(relaxedSimd);
  const convolutions = convolutionsUpTo(lastLayer);
  await requireBackend();
  const { source, embedded } = await resolveWeights(weights, convolutions, { signal, onWarning });
  const read = await source.read(convolutions, { signal, onProgress, onWarning });
  const { name: weightsName, convention } = source;
  const network = loadedVgg19(read, { lastLayer, pooling, convention, weightsName, embedded });
  if (chooseEngine(engine) === 'tfjs') return createTfjsExtractor(network);
  // Loaded here and not above: those who compute with tfjs alone never load the kernels.
  const { createWasmExtractor } = await import('./wasm');
  return createWasmExtractor({ ...network, threads, relaxedSimd });
}

/** Our kernels where the processor computes anyway; a GPU, or TensorFlow itself, is left alone. */
function chooseEngine(engine: Engine): 'tfjs' | 'wasm' {
  const runs = supportsSimd();
  if (engine === 'wasm' && !runs) {
    const accepted = "a browser or Node with WebAssembly SIMD, or engine 'tfjs'";
    throw new EnvironmentError('NO_SIMD', `engine is 'wasm', which needs ${accepted}.`, {
      option: 'engine',
      value: engine,
      accepted,
    });
  }
  if (engine !== 'auto') return engine;
  return runs && ['cpu', 'wasm'].includes(tf.getBackend()) ? 'wasm' : 'tfjs';
}

/** Throws unless tfjs has a backend that starts. */
async function requireBackend(): Promise<void> {
  const accepted =
    "import '@tensorflow/tfjs-backend-wasm' (or -cpu, -webgl, -webgpu) and await tf.setBackend('wasm') first; in Node, useWasm() does both";
  try {
    await tf.ready();
    if (tf.getBackend()) return;
  } catch (cause) {
    throw new EnvironmentError('NO_BACKEND', `TensorFlow.js has no backend that works here: ${accepted}.`, {
      accepted,
      cause,
    });
  }
  throw new EnvironmentError('NO_BACKEND', `TensorFlow.js has no backend: ${accepted}.`, { accepted });
}
