import type { FeatureExtractor } from '../src/features/extractor';
import { stepsUpTo } from '../src/features/layers';
import { createTfjsExtractor } from '../src/features/tfjs-extractor';
import { createWasmExtractor } from '../src/kernels/wasm-extractor';
import type { Depth, Weights } from './scene';

/** An engine of this project, under the name that tables show. */
export interface BenchEngine {
  readonly name: string;
  /** The largest size at which anybody would wait for it. */
  readonly largest: number;
  /** Whether whole runs are timed on it. */
  readonly wholeRuns: boolean;
  create(weights: Weights, depth: Depth): Promise<FeatureExtractor>;
}

/** What every extractor of the benchmarks is made of. */
export const networkOptions = (weights: Weights, depth: Depth) =>
  ({
    name: 'vgg19',
    weightsName: 'benchmark',
    steps: stepsUpTo(depth),
    weights,
    convention: 'caffe',
  }) as const;

/** Every engine that is measured. */
export const benchEngines: readonly BenchEngine[] = [
  ...[1, 2].map((threads) => ({
    name: `own kernels, threads: ${threads}`,
    largest: 2048,
    wholeRuns: threads > 1,
    create: (weights: Weights, depth: Depth) =>
      createWasmExtractor({ ...networkOptions(weights, depth), threads }),
  })),
  {
    name: 'tfjs-wasm, flipped filters',
    largest: 512,
    wholeRuns: false,
    create: async (weights, depth) => createTfjsExtractor(networkOptions(weights, depth)),
  },
];
