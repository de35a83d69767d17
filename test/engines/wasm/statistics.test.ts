import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadVgg19, wasm } from '../../../src/engines';
import type { Vgg19Layer } from '../../../src/features/vgg19/layers';
import { contentLoss, defineLoss, styleLoss, sum, weighted, within } from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { noise } from '../../support/images';
import '../../support/to-be-allclose';

await tf.setBackend('wasm');

/** Value and gradient by kernels and by tfjs from the engine's features. */
async function both(
  statistic: 'mean-variance' | 'wasserstein' | 'histogram',
  layers: readonly Vgg19Layer[],
  [height, width]: readonly [number, number],
  threads: number,
  mask?: tf.Tensor2D,
) {
  const extractor = await loadVgg19({ weights: 'embedded', engine: wasm({ threads }) });
  const [image, style, other] = [noise(height, width, 1), noise(40, 36, 2), noise(height, width, 3)];
  const loss = () => {
    const whole = styleLoss(extractor.extract(style, layers), {
      statistic,
      layerWeights: layers.map((_, i) => i + 0.5),
    });
    const own = mask ? within(mask, whole) : whole;
    const content = contentLoss(extractor.extract(other, ['conv2_2']));
    return { own, content };
  };
  const byKernels = loss();
  const byTfjs = loss();
  const hidden = defineLoss({ name: 'style', layers, compute: (features) => byTfjs.own.compute(features) });
  const evaluated = [
    sum([byKernels.content, weighted(3, byKernels.own)]),
    sum([byTfjs.content, weighted(3, hidden)]),
  ].map((total) => {
    const objective = createObjective(extractor, total, [height, width]);
    // Twice: the second evaluation starts from what the first has left.
    objective.evaluate(other);
    const { gradient, terms } = objective.evaluate(image);
    const found = { style: terms.style.dataSync()[0], gradient: [...gradient.dataSync()] };
    objective.dispose();
    return found;
  });
  extractor.dispose();
  return evaluated;
}

describe('statistics by kernels', () => {
  it.each([
    ['mean-variance', ['conv1_1', 'relu2_1', 'conv3_1'], [33, 38], 1],
    ['mean-variance', ['relu1_1', 'pool1'], [20, 24], 2],
    ['histogram', ['conv1_1', 'relu2_1', 'conv3_1'], [33, 38], 1],
    ['histogram', ['relu1_1', 'pool1'], [20, 24], 2],
    ['wasserstein', ['conv1_1', 'relu2_1', 'conv3_1'], [33, 38], 1],
    ['wasserstein', ['relu1_1', 'pool1'], [20, 24], 2],
    // 30 positions and fewer channels that are independent.
    ['wasserstein', ['conv3_1'], [21, 24], 2],
  ] as const)(
    'of %s at %j, image %j, threads: %i, are those of tfjs',
    async (statistic, layers, size, threads) => {
      const [kernels, tfjs] = await both(statistic, layers, size, threads);
      expect(kernels.style / tfjs.style).toBeCloseTo(1, 3);
      const scale = Math.max(...tfjs.gradient.map(Math.abs));
      expect(kernels.gradient.map((x) => x / scale)).toBeAllclose(
        tfjs.gradient.map((x) => x / scale),
        { rtol: 0, atol: 3e-3 },
      );
    },
  );

  it.each(['mean-variance', 'wasserstein'] as const)(
    'of %s with a mask, soft and with zeros, are those of tfjs',
    async (statistic) => {
      const mask = tf.clipByValue<tf.Tensor2D>(tf.randomUniform([33, 38], -0.3, 1, 'float32', 5), 0, 1);
      const [kernels, tfjs] = await both(statistic, ['conv1_1', 'relu2_1'], [33, 38], 2, mask);
      expect(kernels.style / tfjs.style).toBeCloseTo(1, 3);
      const scale = Math.max(...tfjs.gradient.map(Math.abs));
      expect(kernels.gradient.map((x) => x / scale)).toBeAllclose(
        tfjs.gradient.map((x) => x / scale),
        { rtol: 0, atol: 3e-3 },
      );
    },
  );

  it('are the same to the bit with any number of threads', async () => {
    const runs = [];
    for (const statistic of ['wasserstein', 'histogram'] as const) {
      for (const threads of [1, 2]) runs.push(await both(statistic, ['relu2_1'], [24, 20], threads));
      expect(runs.at(-1)?.[0]).toEqual(runs.at(-2)?.[0]);
    }
  });
});
