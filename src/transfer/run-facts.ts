import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../features/extractor';

/** How a run is computed, for reports: part of the start event and of the result. */
export interface RunFacts {
  /** The engine: `'wasm'`, `'tfjs'`; for a custom extractor without one, the extractor's name. */
  readonly engine: string;
  /** The active tfjs backend: `'wasm'`, `'cpu'`, `'webgl'`, `'webgpu'`. */
  readonly backend: string;
  /** Source of the network's weights. */
  readonly weights: string;
  /** True if the small network of this package replaces VGG-19. */
  readonly embedded: boolean;
  /** Threads of the engine; undefined if it does not know, as on a GPU. */
  readonly threads: number | undefined;
}

/** The facts about runs with an extractor on the active backend. */
export function factsOf({
  name,
  engine = name,
  weights = name,
  embedded = false,
  threads,
}: FeatureExtractor): RunFacts {
  return { engine, backend: tf.getBackend(), weights, embedded, threads };
}
