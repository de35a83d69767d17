import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import { type Loss, styleLoss, sum, temporalLoss, weighted } from '../../src/losses';
import { createObjective } from '../../src/objective';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';
import { randomWeights } from '../engines/wasm/random-weights';

describe('temporalLoss', () => {
  onEachBackend(() => {
    it('is the mean over all pixels of squared differences, each times its reliability', () => {
      const warped = tf.tensor3d([0, 0, 0, 0.5, 0.5, 0.5], [1, 2, 3]);
      const image = tf.tensor4d([0.1, 0.2, 0.3, 1, 1, 1], [1, 1, 2, 3]);
      const at = (reliability: number[]) =>
        temporalLoss(warped, tf.tensor2d(reliability, [1, 2])).compute({ image });
      // (0.01 + 0.04 + 0.09 + 3 * 0.25) / 6
      expect(at([1, 1])).toBeAllclose(0.89 / 6);
      expect(at([1, 0])).toBeAllclose(0.14 / 6);
      expect(at([0.5, 0])).toBeAllclose(0.07 / 6);
      expect(at([0, 0])).toBeAllclose(0);
    });
  });

  it('refuses a reliability of another size, and one outside of [0,1]', () => {
    expect(() => temporalLoss(noise(2, 3), tf.ones<tf.Rank.R2>([3, 2]))).toThrow(
      'reliability has the shape [3,2]; accepted: [2, 3], the size of the image.',
    );
    expect(() => temporalLoss(noise(1, 2), tf.tensor2d([0, 2], [1, 2]))).toThrow(
      'reliability has the number 2',
    );
  });

  it('is computed by the wasm engine itself, as tfjs computes it, beside losses of layers', async () => {
    await tf.setBackend('cpu');
    const network = loadedVgg19(randomWeights('conv2_1'), {
      lastLayer: 'conv2_1',
      convention: 'caffe',
      pooling: 'max',
      weightsName: 'random',
    });
    const [height, width] = [19, 14];
    const [image, warped, style] = [noise(height, width, 1), noise(height, width, 2), noise(21, 16, 3)];
    const reliability = tf.tensor2d(
      Array.from({ length: height * width }, (_, k) => (k % 5) / 4),
      [height, width],
    );
    const evaluations = [];
    for (const extractor of [
      createTfjsExtractor(network),
      await createWasmExtractor({ ...network, threads: 2 }),
    ]) {
      const temporal = temporalLoss(warped, reliability);
      let byTfjs = 0;
      const counted: Loss = {
        ...temporal,
        compute(features) {
          byTfjs++;
          return temporal.compute(features);
        },
      };
      const loss = sum([styleLoss(extractor.extract(style, ['conv1_1', 'conv2_1'])), weighted(3, counted)]);
      const objective = createObjective(extractor, loss, [height, width]);
      evaluations.push(objective.evaluate(image));
      if (extractor.engine === 'wasm') expect(byTfjs).toBe(0);
      objective.dispose();
      extractor.dispose();
    }
    const [byTfjs, byWasm] = evaluations;
    expect(byWasm.terms.temporal).toBeAllclose(byTfjs.terms.temporal, { rtol: 1e-5 });
    expect(byWasm.gradient).toBeAllclose(byTfjs.gradient, { rtol: 1e-3, atol: 1e-6 });
  });
});
