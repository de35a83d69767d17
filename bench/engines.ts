import type { FeatureExtractor } from '../src/features/extractor';
import { type ConvLayer, stepsUpTo } from '../src/features/layers';
import { createTfjsExtractor } from '../src/features/tfjs-extractor';
import type { LayerWeights } from '../src/features/weights/source';
import { createWasmExtractor } from '../src/kernels/wasm-extractor';

/** A way to compute the network, under the name that tables show. */
export interface BenchEngine {
  readonly name: string;
  create(weights: Weights): Promise<FeatureExtractor>;
}

type Weights = ReadonlyMap<ConvLayer, LayerWeights>;

/** Every engine that is measured, the reference first. */
export const benchEngines: readonly BenchEngine[] = [
  ...[1, 2].map((threads) => ({
    name: `own kernels, threads: ${threads}`,
    create: async (weights: Weights) =>
      createWasmExtractor({
        name: 'vgg19',
        weightsName: 'benchmark',
        steps: stepsUpTo('conv3_1'),
        weights,
        convention: 'caffe',
        threads,
      }),
  })),
  {
    name: 'tfjs-wasm, flipped filters',
    create: async (weights) =>
      createTfjsExtractor({
        name: 'vgg19',
        weightsName: 'benchmark',
        steps: stepsUpTo('conv3_1'),
        weights,
        convention: 'caffe',
      }),
  },
];
