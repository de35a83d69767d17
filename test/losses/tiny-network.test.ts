import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createTfjsExtractor } from '../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import type { LayerName } from '../../src/features/layer-name';
import type { LoadedNetwork, NamedTensor, NetworkStep } from '../../src/features/network';
import {
  contentLoss,
  defineLoss,
  gramMatrix,
  type Loss,
  styleLoss,
  sum,
  totalVariationLoss,
  within,
} from '../../src/losses';
import { type SsimOfTensorsOptions, ssimOfTensors } from '../../src/metrics';
import { createObjective } from '../../src/objective';
import reference from '../reference/tiny-network.json' with { type: 'json' };
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

const { mean, std } = reference;
type Three = [number, number, number];

const conv = (name: LayerName, channelsIn: number, channelsOut: number): NetworkStep[] => [
  { op: 'conv', name, channelsIn, channelsOut, kernel: `${name}/kernel`, bias: `${name}/bias` },
  { op: 'relu', name: name.replace('conv', 'relu') as LayerName },
];

const network: LoadedNetwork = {
  network: {
    name: 'tiny network',
    input: {
      scale: std.map((s) => 1 / s) as Three,
      offset: std.map((s, i) => -mean[i] / s) as Three,
    },
    steps: [
      ...conv('conv1_1', 3, 8),
      ...conv('conv1_2', 8, 8),
      { op: 'maxPool', name: 'pool1' },
      ...conv('conv2_1', 8, 16),
    ],
  },
  weights: new Map(
    Object.entries(reference.weights).map(([name, { shape, values }]): [string, NamedTensor] => [
      name,
      { shape, values: Float32Array.from(values) },
    ]),
  ),
  weightsName: 'test/reference/tiny-network.json',
};

const picture = (name: keyof typeof reference.images): tf.Tensor3D => {
  const { shape, values } = reference.images[name];
  return tf.tensor<tf.Rank>(values, shape as number[] as Three) as tf.Tensor3D;
};

const strokes: LayerName[] = ['conv1_1', 'relu1_2', 'conv2_1'];

/**
 * Numbers of PyTorch in double precision for weights in the same file, so that every clone can compare with them.
 */
describe('a tiny network agrees with PyTorch in float64', () => {
  onEachBackend(() => {
    const extractors = { tfjs: createTfjsExtractor, wasm: createWasmExtractor };

    it.each(['tfjs', 'wasm'] as const)('features and Gram matrices, engine %s', async (engine) => {
      const extractor = await extractors[engine](network);
      const features = extractor.extract(picture('image'), [...strokes, 'pool1']);
      for (const [layer, values] of Object.entries(reference.features))
        expect(features[layer as LayerName] as tf.Tensor, layer).toBeAllclose(values, {
          rtol: 1e-5,
          atol: 1e-5,
        });
      for (const [layer, values] of Object.entries(reference.grams))
        expect(gramMatrix(features[layer as LayerName] as tf.Tensor4D), layer).toBeAllclose(values, {
          rtol: 1e-5,
          atol: 1e-6,
        });
      extractor.dispose();
    });

    it.each(['tfjs', 'wasm'] as const)('values and gradients of losses, engine %s', async (engine) => {
      const extractor = await extractors[engine](network);
      const [image, content] = [picture('image'), picture('content')];
      const mask = tf.squeeze(picture('mask')) as tf.Tensor2D;
      const target = extractor.extract(content, ['conv1_2', 'conv2_1']);
      const style = extractor.extract(picture('style'), strokes);
      const similarity = (options: SsimOfTensorsOptions) =>
        defineLoss({
          name: 'ssim',
          layers: ['image'],
          compute: ({ image: x }) => ssimOfTensors(x, tf.expandDims<tf.Tensor4D>(content, 0), options),
        });
      const losses: Record<keyof typeof reference.losses, () => Loss> = {
        content: () => contentLoss(target, { layers: ['conv2_1'] }),
        contentL1: () => contentLoss(target, { layers: ['conv1_2'], distance: 'l1' }),
        styleByElements: () => styleLoss(style),
        styleByPositionsL1: () => styleLoss(style, { normalization: 'positions', distance: 'l1' }),
        variation: () => totalVariationLoss(),
        variationL1: () => totalVariationLoss({ distance: 'l1' }),
        ssimOfRgb: () => similarity({ channels: 'rgb' }),
        ssimOfLuma: () => similarity({ channels: 'luma' }),
        ssimByUniformWindows: () => similarity({ channels: 'rgb', window: 'uniform' }),
        styleWithinMask: () => within(mask, styleLoss(style, { layers: ['conv1_1', 'conv2_1'] })),
        styleWithinHalves: () => {
          const [height, width] = mask.shape;
          const columns = tf.tile(tf.reshape(tf.range(0, width, 1), [1, width]), [height, 1]);
          const left = tf.cast(tf.less(columns, Math.floor(width / 2)), 'float32') as tf.Tensor2D;
          return sum([within(left, styleLoss(style)), within(tf.sub(1, left), styleLoss(style))]);
        },
        contentWithinMask: () => within(mask, contentLoss(target, { layers: ['conv2_1'] })),
      };
      for (const [name, { value, gradient }] of Object.entries(reference.losses)) {
        const loss = losses[name as keyof typeof losses]();
        const objective = createObjective(extractor, loss, [13, 14]);
        const found = objective.evaluate(image);
        expect(found.value, name).toBeAllclose(value, { rtol: 1e-5, atol: 1e-6 });
        // Components relative to the root mean square of all: small ones are sums of large ones of both signs.
        const typical = Math.hypot(...gradient) / Math.sqrt(gradient.length);
        expect(found.gradient, name).toBeAllclose(gradient, { rtol: 1e-4, atol: 1e-4 * typical });
        objective.dispose();
        loss.dispose?.();
      }
      extractor.dispose();
    });
  });
});
