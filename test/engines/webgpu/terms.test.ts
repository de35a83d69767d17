import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../../../src/engines/tfjs/tfjs-extractor';
import { createWebgpuExtractor } from '../../../src/engines/webgpu/webgpu-extractor';
import type { FeatureExtractor } from '../../../src/features/extractor';
import type { LayerName } from '../../../src/features/layer-name';
import {
  contentLoss,
  edgeLoss,
  type Loss,
  mrfLoss,
  pixelLoss,
  styleLoss,
  sum,
  temporalLoss,
  totalVariationLoss,
  weighted,
  within,
} from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { expectNoLeak } from '../../../src/testing';
import { convolutionsBy } from '../../support/convolutions';
import { noise } from '../../support/images';
import '../../support/to-be-allclose';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import { smallNetwork } from './small-network';

type Size = readonly [height: number, width: number];

const softMask = ([h, w]: Size, seed: number): tf.Tensor2D =>
  tf.tidy(() => tf.clipByValue<tf.Tensor2D>(tf.randomUniform([h, w], -0.3, 1, 'float32', seed), 0, 1));

/** A loss of features of two images: one of the painted image's size, and a small one. */
function lossOf(
  extractor: FeatureExtractor,
  size: Size,
  layers: readonly LayerName[],
  make: (content: tf.NamedTensorMap, style: tf.NamedTensorMap) => Loss,
): Loss {
  const images = [noise(size[0], size[1], 1), noise(12, 15, 2)] as const;
  const features = images.map((image) => extractor.extract(image, layers));
  const loss = make(...(features as unknown as [tf.NamedTensorMap, tf.NamedTensorMap]));
  tf.dispose([images, features] as tf.TensorContainer);
  return loss;
}

type Make = (extractor: FeatureExtractor, size: Size) => Loss;

const masked: Make = (extractor, size) =>
  lossOf(extractor, size, ['conv1_1', 'relu1_2', 'conv2_2', 'relu2_1', 'pool1'], (content, style) =>
    sum([
      within(
        softMask(size, 3),
        sum([
          contentLoss(content as never, { layers: ['conv2_2', 'relu1_2'], distance: 'l1' }),
          weighted(30, styleLoss(style as never, { layers: ['conv1_1', 'relu2_1', 'pool1'] })),
          weighted(3, pixelLoss(noise(...size, 6))),
          weighted(5, totalVariationLoss()),
        ]),
      ),
      within(softMask(size, 4), weighted(20, styleLoss(style as never, { layers: ['conv1_1', 'relu2_1'] }))),
      weighted(10, styleLoss(style as never, { layers: ['conv1_1'] })),
      weighted(9, temporalLoss(noise(...size, 8), softMask(size, 5))),
    ]),
  );

const statistics =
  (statistic: 'mean-variance' | 'wasserstein' | 'histogram'): Make =>
  (extractor, size) =>
    lossOf(extractor, size, ['relu2_1', 'conv2_2'], (content, style) => {
      const of = (layers: readonly LayerName[]) => styleLoss(style as never, { layers, statistic });
      return sum([
        contentLoss(content as never, { layers: ['conv2_2'] }),
        weighted(3, of(['relu2_1'])),
        ...(statistic === 'histogram' ? [] : [within(softMask(size, 3), of(['conv2_2']))]),
      ]);
    });

const pools: Make = (extractor, size) =>
  lossOf(extractor, size, ['pool1', 'pool2', 'conv2_1'], (content, style) =>
    sum([
      contentLoss(content as never, { layers: ['pool2', 'pool1'] }),
      weighted(10, styleLoss(style as never, { layers: ['pool1', 'pool2', 'conv2_1'] })),
    ]),
  );

const byTfjs: Make = (extractor, size) =>
  lossOf(extractor, size, ['image', 'relu2_1', 'pool1'], (content, style) =>
    sum([
      styleLoss(style as never, { layers: ['image', 'relu2_1'] }),
      mrfLoss(style as never, { layers: ['pool1'] }),
      edgeLoss(tf.squeeze(content.image, [0]), { pooling: [2] }),
    ]),
  );

describe.skipIf(!hasWebgpu)('terms of the engine webgpu', { timeout: 600_000 }, () => {
  onWebgpu();

  it.each([
    ['masks', masked, [14, 19]],
    ['means and variances, with masks and without', statistics('mean-variance'), [14, 18]],
    ['Wasserstein distances, with masks and without', statistics('wasserstein'), [14, 18]],
    ['histograms', statistics('histogram'), [10, 12]],
    ['outputs of poolings', pools, [13, 10]],
    ['what tfjs computes from features of the kernels', byTfjs, [14, 18]],
  ] as const)('are those of tfjs: %s', async (_, make, size) => {
    const network = smallNetwork();
    const [own, reference] = [
      createWebgpuExtractor(network, { convolutions: convolutionsBy('taps') }),
      createTfjsExtractor(network),
    ];
    const loss = make(reference, size);
    const image = noise(size[0], size[1], 9);
    const found = [];
    for (const extractor of [own, reference]) {
      const { terms, gradient } = await expectNoLeak(async () => {
        const objective = createObjective(extractor, loss, size);
        expect(objective.problem !== undefined).toBe(extractor === own);
        const evaluated = objective.evaluate(image);
        objective.dispose();
        return evaluated;
      });
      const values = await Promise.all(Object.values(terms).map(async (term) => (await term.data())[0]));
      found.push({ values, gradient: Array.from(await gradient.data()) });
    }
    expect(found[0].values).toBeAllclose(found[1].values, { rtol: 2e-4 });
    const [ours, theirs] = found.map(({ gradient }) => gradient);
    const error = Math.hypot(...ours.map((g, i) => g - theirs[i])) / Math.hypot(...theirs);
    expect(error).toBeLessThan(1e-3);
    for (const one of [own, reference, loss]) one.dispose?.();
  });

  it.each([
    ['masks', masked],
    ['Wasserstein distances', statistics('wasserstein')],
  ] as const)('are the same to the bit in commands of the fewest workgroups: %s', async (_, make) => {
    // Several shares of Gram matrices, and rows of workgroups in every kernel.
    const size = [20, 60] as const;
    const network = smallNetwork();
    const image = noise(size[0], size[1], 9);
    const found = [];
    for (const commandFlop of [undefined, 1]) {
      const convolutions = { ...convolutionsBy('taps'), commandFlop };
      const extractor = createWebgpuExtractor(network, { convolutions });
      const loss = make(extractor, size);
      const objective = createObjective(extractor, loss, size);
      const { terms, gradient } = objective.evaluate(image);
      const values = await Promise.all(Object.values(terms).map(async (term) => (await term.data())[0]));
      found.push({ values, gradient: await gradient.data() });
      for (const one of [objective, loss, extractor]) one.dispose?.();
      tf.dispose([terms, gradient]);
    }
    image.dispose();
    expect(found[1]).toEqual(found[0]);
  });
});
