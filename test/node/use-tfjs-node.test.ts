import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import { contentLoss, styleLoss, sum, totalVariationLoss } from '../../src/losses';
import { useTfjsNode } from '../../src/node/use-tfjs-node';
import { createObjective } from '../../src/objective';
import { expectNoLeak } from '../../src/testing';
import { randomWeights } from '../engines/wasm/random-weights';
import { expectNear } from '../support/expect-near';
import { noise } from '../support/images';
import '../support/to-be-allclose';

const refusal = await useTfjsNode().then(
  () => undefined,
  (error: unknown) => error,
);
if (refusal)
  console.warn('skipped: tests on tfjs-node (not installed; scripts/install-tfjs-node.sh installs it)');

it.runIf(refusal)('useTfjsNode says what to install where the package is missing', () => {
  expect(refusal).toMatchObject({
    name: 'EnvironmentError',
    code: 'NO_BACKEND',
    message: expect.stringContaining('npm install @tensorflow/tfjs-node@'),
  });
});

describe.skipIf(refusal)('tfjs-node', () => {
  it('is the backend', () => {
    expect(tf.getBackend()).toBe('tensorflow');
  });

  it.each(['max', 'average'] as const)(
    'finds loss and gradient of our own kernels, %s pooling',
    async (pooling) => {
      const network = loadedVgg19(randomWeights('conv3_1'), {
        lastLayer: 'conv3_1',
        convention: 'caffe',
        pooling,
        weightsName: 'random',
      });
      const [tensorflow, own] = [createTfjsExtractor(network), await createWasmExtractor(network)];
      const [content, style, at] = [noise(37, 53, 1), noise(30, 41, 2), noise(37, 53, 3)];
      const loss = sum([
        contentLoss(own.extract(content, ['conv2_2'])),
        styleLoss(own.extract(style, ['conv1_1', 'relu2_1', 'conv3_1'])),
        totalVariationLoss(),
      ]);
      const [found, expected] = [tensorflow, own].map((extractor) =>
        createObjective(extractor, loss, [37, 53]),
      );
      const evaluation = await expectNoLeak(() => found.evaluate(at));
      const { value, gradient } = expected.evaluate(at);
      expect(evaluation.value).toBeAllclose(value, { rtol: 1e-5 });
      expectNear(evaluation.gradient, gradient, 1e-4);
      own.dispose();
      tensorflow.dispose();
    },
  );
});
