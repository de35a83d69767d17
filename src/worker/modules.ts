import type * as tf from '@tensorflow/tfjs-core';
import type { LoadedExtractor, LoadVgg19Options } from '../engines/load-vgg19';
import type { FeatureExtractor } from '../features/extractor';
import type * as losses from '../losses';
import type { Loss } from '../losses/loss';
import type { LossTargets } from '../transfer/preset-loss';

/** What modules of the options `loss` and `extractor` get, because a worker has no import map and one tfjs. */
export interface WorkerLibrary {
  /** `@tensorflow/tfjs-core` of the worker. */
  readonly tf: typeof tf;
  /** `tfjs-style-transfer/losses`. */
  readonly losses: typeof losses;
  /** `loadVgg19` of the library's root. */
  readonly loadVgg19: (options?: LoadVgg19Options) => Promise<LoadedExtractor>;
}

/** The default export of a module of the option `loss`: the loss of a run, which disposes it. */
export type LossModule = (targets: LossTargets, library: WorkerLibrary) => Loss | Promise<Loss>;

/** The default export of a module of the option `extractor`: an extractor, which the worker disposes. */
export type ExtractorModule = (library: WorkerLibrary) => FeatureExtractor | Promise<FeatureExtractor>;
