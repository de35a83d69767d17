import * as tf from '@tensorflow/tfjs-core';
import { EnvironmentError } from '../errors';
import { requireKnownOptions, requireName } from '../validate';
import type { FeatureExtractor } from './extractor';
import { type ConvLayer, stepsUpTo, type Vgg19Layer } from './layers';
import { createTfjsExtractor, type Pooling } from './tfjs-extractor';
import { layersModelWeights } from './weights';
import type { WeightSource, WeightsProgress } from './weights/source';

export type Weights = string | URL | tf.io.IOHandler | WeightSource;

/** Stands in until src/features/weights/resolve-weights.ts is there. */
async function resolveWeights(weights: Weights | undefined, _convolutions: readonly ConvLayer[]) {
  if (typeof weights === 'object' && 'read' in weights) return { source: weights, embedded: false };
  return { source: layersModelWeights(weights as string), embedded: false };
}

/** What computes the network: tfjs operations on the active backend, or this library's own wasm kernels. */
export type Engine = 'auto' | 'tfjs' | 'wasm';

/** Every {@link Engine}. */
export const engines: readonly Engine[] = ['auto', 'tfjs', 'wasm'];

/** Options of {@link loadVgg19}. */
export interface LoadVgg19Options {
  /** Where the weights are. @default what is there without network: a complete cache, else the embedded network */
  readonly weights?: Weights | undefined;
  /** The network ends after this layer; nothing deeper is read. @default 'conv3_1', the deepest layer of Li et al. 2021 */
  readonly lastLayer?: Vgg19Layer | undefined;
  /** @default 'max' */
  readonly pooling?: Pooling | undefined;
  /** @default 'auto' */
  readonly engine?: Engine | undefined;
  /** Threads of the wasm engine. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined;
}

/**
 * VGG-19's convolutional part as a feature extractor, cut after the last layer that is wanted.
 *
 * @returns an extractor on the active tfjs backend; it belongs to the caller
 * @throws InvalidArgumentError for an unknown option, layer or engine
 * @throws EnvironmentError if no tfjs backend is set up
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
    'signal',
    'onProgress',
  ]);
  const { weights, lastLayer = 'conv3_1', pooling = 'max', engine = 'auto', signal, onProgress } = options;
  requireName('pooling', pooling, ['max', 'average']);
  requireName('engine', engine, engines);
  const steps = stepsUpTo(lastLayer);
  const convolutions: ConvLayer[] = steps.filter((step) => step.kind === 'conv').map((step) => step.name);
  await requireBackend();
  const { source, embedded } = await resolveWeights(weights, convolutions);
  const network = {
    name: 'vgg19',
    weightsName: source.name,
    embedded,
    steps,
    weights: await source.read(convolutions, { signal, onProgress }),
    convention: source.convention,
    pooling,
  };
  return createTfjsExtractor(network);
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
