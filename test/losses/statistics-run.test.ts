import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { loadVgg19 } from '../../src/engines';
import { contentLoss, edgeLoss, mrfLoss, styleLoss, sum, weighted } from '../../src/losses';
import { createObjective } from '../../src/objective';
import { minimize } from '../../src/optim';

/** Each statistic through each engine: the run that a user makes of it. */
it.each([
  ['mean-variance', 'wasm'],
  ['wasserstein', 'wasm'],
  ['histogram', 'wasm'],
  ['mrf', 'wasm'],
  ['wasserstein', 'tfjs'],
] as const)('%s lowers its loss in a run on the engine %s', async (statistic, engine) => {
  await tf.setBackend('wasm');
  const extractor = await loadVgg19({ weights: 'embedded', engine });
  const content: tf.Tensor3D = tf.randomUniform([16, 20, 3], 0.2, 0.8, 'float32', 1);
  const style: tf.Tensor3D = tf.randomUniform([18, 16, 3], 0, 1, 'float32', 2);
  const features = extractor.extract(style, ['conv1_1', 'conv2_1']);
  const loss = sum([
    weighted(0.01, contentLoss(extractor.extract(content, ['conv2_2']))),
    weighted(0.01, edgeLoss(content)),
    statistic === 'mrf' ? mrfLoss(features) : styleLoss(features, { statistic }),
  ]);
  const objective = createObjective(extractor, loss, [16, 20]);
  const before = objective.evaluate(content).value.dataSync()[0];
  const { value } = await minimize(objective, content, { bounds: [0, 1], maxEvaluations: 8 });
  expect(value).toBeLessThan((statistic === 'mrf' ? 0.9 : 0.5) * before);
  extractor.dispose();
});
