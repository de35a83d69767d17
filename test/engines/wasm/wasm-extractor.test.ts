import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import type { Features } from '../../../src/features/extractor';
import type { LayerName } from '../../../src/features/layer-name';
import { type Padding, paddings } from '../../../src/features/padding';
import type { Vgg19Layer } from '../../../src/features/vgg19/layers';
import { loadedVgg19, type Pooling } from '../../../src/features/vgg19/network';
import {
  contentLoss,
  type Loss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
  within,
} from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { expectNoLeak } from '../../../src/testing';
import { extractorContract } from '../../contracts/extractor';
import { onEachBackend } from '../../support/backends';
import { expectNear } from '../../support/expect-near';
import { noise } from '../../support/images';
import '../../support/to-be-allclose';
import { randomWeights } from './random-weights';

const options = (lastLayer: Vgg19Layer, pooling: Pooling = 'max', padding: Padding = 'zero') =>
  loadedVgg19(randomWeights(lastLayer), {
    lastLayer,
    convention: 'caffe',
    pooling,
    padding,
    weightsName: 'random',
  });

const layers: LayerName[] = ['image', 'conv1_1', 'relu1_2', 'pool1', 'conv2_2', 'relu2_2', 'conv3_1'];

describe('the extractor on our own kernels', () => {
  onEachBackend((backend) => {
    describe('with max pooling', () =>
      extractorContract(() => createWasmExtractor({ ...options('conv3_1'), threads: 1 }), layers));
    describe('with average pooling', () =>
      extractorContract(
        () => createWasmExtractor(options('pool2', 'average')),
        ['relu1_1', 'pool1', 'pool2'],
      ));
    describe.each(['replicate', 'reflect'] as const)('with padding %s', (padding) =>
      extractorContract(
        () => createWasmExtractor(options('conv2_1', 'max', padding)),
        ['image', 'conv1_1', 'relu1_2', 'conv2_1'],
      ),
    );
    if (backend === 'cpu') return;

    it.each([
      ['max', [1, 1], 'relu1_2'],
      ['max', [5, 3], 'pool1'],
      ['max', [37, 53], 'conv3_1'],
      ['average', [38, 21], 'conv3_1'],
      ['max', [33, 47], 'conv4_2'],
    ] as const)(
      'agrees with the tfjs engine: %s pooling, %o pixels, to %s',
      async (pooling, [height, width], last) => {
        const settings = options(last, pooling);
        const [own, reference] = [await createWasmExtractor(settings), createTfjsExtractor(settings)];
        const image = noise(height, width, 3);
        const wanted = reference.layers.filter((layer) => layer === last || /relu.*1|pool1/.test(layer));
        const [found, expected] = [own.linearize(image, wanted), reference.linearize(image, wanted)];
        const cotangents = Object.fromEntries(
          wanted.map((layer, i) => [
            layer,
            tf.randomNormal((expected.features[layer] as tf.Tensor4D).shape, 0, 1, 'float32', i + 1),
          ]),
        ) as Features;
        for (const layer of wanted)
          expectNear(found.features[layer] as tf.Tensor, expected.features[layer] as tf.Tensor, 1e-5);
        // Where rounding turns a value near 0 or near its neighbour's, ReLU and maximum pass the gradient elsewhere.
        expectNear(
          found.pullback(cotangents),
          expected.pullback(cotangents),
          last === 'conv4_2' ? 5e-3 : 1e-4,
        );
      },
    );

    it.each(
      paddings.flatMap((padding) =>
        [[1, 1] as const, [2, 5] as const, [1, 9] as const, [66, 37] as const].map(
          (size) => [padding, size] as const,
        ),
      ),
    )(
      'agrees with the tfjs engine on the border: padding %s, %o pixels',
      async (padding, [height, width]) => {
        const settings = options('conv1_2', 'max', padding);
        const [own, reference] = [await createWasmExtractor(settings), createTfjsExtractor(settings)];
        const image = noise(height, width, 3);
        // With and without a map of the first convolution in memory.
        for (const wanted of [['conv1_1', 'conv1_2'], ['conv1_2']] as const) {
          const [found, expected] = [own.linearize(image, wanted), reference.linearize(image, wanted)];
          const cotangents: Features = Object.fromEntries(
            wanted.map((layer, i) => [
              layer,
              tf.randomNormal([1, height, width, 64], 0, 1, 'float32', i + 1),
            ]),
          );
          for (const layer of wanted)
            expectNear(found.features[layer] as tf.Tensor, expected.features[layer] as tf.Tensor, 1e-5);
          expectNear(found.pullback(cotangents), expected.pullback(cotangents), 1e-4);
          found.dispose();
          expected.dispose();
        }
        expectNear(
          own.gramMatrices?.(image, ['conv1_1']).conv1_1 as tf.Tensor,
          reference.gramMatrices?.(image, ['conv1_1']).conv1_1 as tf.Tensor,
          1e-5,
        );
        own.dispose();
        reference.dispose();
      },
    );

    it('gives the same to the bit on one thread and on several', async () => {
      const [content, style, at] = [noise(45, 61, 1), noise(40, 40, 2), noise(45, 61, 3)];
      const found = [];
      for (const threads of [1, 2, 3]) {
        const extractor = await createWasmExtractor({ ...options('conv3_1'), threads });
        const loss = sum([
          contentLoss(extractor.extract(content, ['conv2_2'])),
          styleLoss(extractor.extract(style, ['conv1_1', 'relu2_1', 'conv3_1'])),
        ]);
        const { value, gradient } = createObjective(extractor, loss, [45, 61]).evaluate(at);
        found.push([value.dataSync()[0], ...gradient.dataSync()]);
        extractor.dispose();
      }
      expect(found[1]).toEqual(found[0]);
      expect(found[2]).toEqual(found[0]);
    });

    it('evaluates every kind of loss as the tfjs engine does, alone and mixed with one of the caller’s', async () => {
      const settings = options('conv3_1');
      const [own, reference] = [await createWasmExtractor(settings), createTfjsExtractor(settings)];
      const [content, style, at] = [noise(37, 53, 1), noise(30, 41, 2), noise(37, 53, 3)];
      const features = reference.extract(content, ['conv2_2', 'relu2_2', 'pool1', 'conv3_1']);
      const strokes = reference.extract(style, ['conv1_1', 'relu1_2', 'conv2_1', 'pool2']);
      const custom: Loss = {
        name: 'custom',
        layers: ['relu2_1', 'image'],
        compute: ({ relu2_1, image }) =>
          tf.add(tf.mean(tf.square(relu2_1 as tf.Tensor4D)), tf.mean(image as tf.Tensor4D)) as tf.Scalar,
      };
      const mask = tf.randomUniform<tf.Rank.R2>([37, 53], 0, 1, 'float32', 4);
      const losses: Record<string, Loss> = {
        content: contentLoss(features),
        l1: contentLoss(features, { distance: 'l1' }),
        perceptual: perceptualLoss(features),
        elements: styleLoss(strokes),
        positions: styleLoss(strokes, { normalization: 'positions', layerWeights: [1, 2, 3, 4] }),
        styleL1: styleLoss(strokes, { distance: 'l1' }),
        relativeStyle: styleLoss(strokes, { distance: 'relative', layerWeights: [1, 2, 3, 4] }),
        relativeContent: contentLoss(features, { relative: true }),
        pixel: pixelLoss(content),
        pixelL1: pixelLoss(content, { distance: 'l1' }),
        variation: totalVariationLoss(),
        variationL1: totalVariationLoss({ distance: 'l1' }),
        masked: within(mask, sum([styleLoss(strokes), contentLoss(features), totalVariationLoss()])),
        custom,
      };
      const all = sum(Object.values(losses).map((loss, i) => weighted(i + 1, loss)));
      for (const [name, loss] of [...Object.entries(losses), ['all', all] as const]) {
        const objectives = [own, reference].map((extractor) => createObjective(extractor, loss, [37, 53]));
        const found = await expectNoLeak(() => objectives[0].evaluate(at));
        const expected = objectives[1].evaluate(at);
        expect(found.value, name).toBeAllclose(expected.value, { rtol: 1e-5 });
        expect(Object.keys(found.terms)).toEqual(Object.keys(expected.terms));
        for (const [term, value] of Object.entries(expected.terms))
          expect(found.terms[term], `${name}.${term}`).toBeAllclose(value, { rtol: 1e-5 });
        // Rounding decides the sign of a difference near 0, which is the gradient of its magnitude.
        expectNear(found.gradient, expected.gradient, /l1|L1|all/.test(name) ? 2e-3 : 1e-4);
        for (const objective of objectives) objective.dispose();
      }
    });
  });
});
