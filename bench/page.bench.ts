import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { createTfjsExtractor } from '../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../src/engines/wasm/wasm-extractor';
import type { FeatureExtractor } from '../src/features/extractor';
import { loadedVgg19 } from '../src/features/vgg19/network';
import { contentLoss, styleLoss, sum } from '../src/losses';
import { createObjective } from '../src/objective';
import { supportsRelaxedSimd } from '../src/wasm-simd';
import { setWasmFiles } from '../test/browser/wasm-files';
import { randomWeights } from '../test/engines/wasm/random-weights';

/**
 * `npm run bench:page`: loss and gradient to conv3_1 at 256 pixels in a cross-origin-isolated page of the system's
 * Chromium, ours beside tfjs-wasm with flipped filters on as many threads. Weights are noise, on which speed does not
 * depend.
 */
const size = 256;
const rounds = { iterations: 7, time: 0, warmupIterations: 2, warmupTime: 0 } as const;
const threads = navigator.hardwareConcurrency;

setWasmFiles();
setThreadsCount(threads);
await tf.setBackend('wasm');

const network = loadedVgg19(randomWeights('conv3_1'), {
  lastLayer: 'conv3_1',
  convention: 'caffe',
  weightsName: 'noise',
});
const [content, style, at] = [1, 2, 3].map(
  (seed) => tf.randomUniform([size, size, 3], 0, 1, 'float32', seed) as tf.Tensor3D,
);

/** One evaluation by an extractor, which stays for all rounds. */
function evaluation(extractor: FeatureExtractor): () => Promise<void> {
  const loss = sum([
    contentLoss(extractor.extract(content, ['conv2_2'])),
    styleLoss(extractor.extract(style, ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'])),
  ]);
  const objective = createObjective(extractor, loss, [size, size]);
  return async () => {
    const { value, gradient, terms } = objective.evaluate(at);
    await gradient.data();
    tf.dispose([value, gradient, terms]);
  };
}

describe(`an evaluation at ${size} pixels in a page`, async () => {
  bench('own kernels, threads: 1', evaluation(await createWasmExtractor({ ...network, threads: 1 })), rounds);
  bench(
    `own kernels, threads: ${threads}`,
    evaluation(await createWasmExtractor({ ...network, threads })),
    rounds,
  );
  if (supportsRelaxedSimd())
    bench(
      `own kernels, threads: ${threads}, relaxed SIMD`,
      evaluation(await createWasmExtractor({ ...network, threads, relaxedSimd: true })),
      rounds,
    );
  bench(`tfjs-wasm, threads: ${threads}, flipped filters`, evaluation(createTfjsExtractor(network)), rounds);
});
