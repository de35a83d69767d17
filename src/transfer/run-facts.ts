import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../features/extractor';

/** What computes a run, for reports: part of the start event and of the result. */
export interface RunFacts {
  /** What computes the network: `'wasm'`, `'tfjs'`; a custom extractor that does not say is named itself. */
  readonly engine: string;
  /** The active tfjs backend: `'wasm'`, `'cpu'`, `'webgl'`, `'webgpu'`. */
  readonly backend: string;
  /** Where the network's weights come from. */
  readonly weights: string;
  /** True where no VGG-19 was found and the small network that comes with this package stands in. */
  readonly embedded: boolean;
  /** Threads of the engine; undefined where it does not know, as on a GPU. */
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
