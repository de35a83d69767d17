import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import type { LayerName } from '../../src/features/layer-name';
import {
  contentLoss,
  type Loss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
} from '../../src/losses';
import { createObjective } from '../../src/objective';
import { expectNoLeak } from '../../src/testing';
import reference from '../reference/losses.json' with { type: 'json' };
import { onEachBackend } from '../support/backends';
import { referenceTensor } from '../support/reference-image';
import { hasShared } from '../support/shared';
import { realVgg19 } from '../support/vgg19';
import '../support/to-be-allclose';

const five: LayerName[] = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'];

/**
 * An extractor with the images and their features, which the losses of a backend share: the cpu backend takes seconds.
 */
async function prepare(engine: 'tfjs' | 'wasm') {
  const extractor = await realVgg19('relu3_3', 'vgg19', engine);
  const [image, content, style] = await Promise.all(
    ['image-96x64.png', 'content-96x64.png', 'style-80x72.png'].map(referenceTensor),
  );
  // The cpu backend would take ten seconds for targets, which our own kernels give on any backend.
  const quick = tf.getBackend() === 'cpu' ? await realVgg19('relu3_3', 'vgg19', 'wasm') : extractor;
  const contentFeatures = quick.extract(content, ['conv2_2', 'relu2_2', 'relu3_3']);
  const styleFeatures = quick.extract(style, five);
  if (quick !== extractor) quick.dispose();
  return { extractor, tensors: { image, content, style, contentFeatures, styleFeatures } };
}

/** Values, and gradients with respect to the image, that PyTorch computed in double precision. */
describe('losses agree with PyTorch in float64', () => {
  onEachBackend((backend) => {
    // The cpu backend takes ten seconds for each: there, only the one that has everything in it.
    const names = Object.keys(reference.losses).filter(
      (name) => backend === 'wasm' || /^(tv|pixel|paper)/.test(name),
    );
    const engines = backend === 'wasm' ? (['tfjs', 'wasm'] as const) : (['tfjs'] as const);
    const cases = engines.flatMap((engine) => names.map((name) => [name, engine] as const));
    const shared = new Map<'tfjs' | 'wasm', ReturnType<typeof prepare>>();
    const prepared = (engine: 'tfjs' | 'wasm') => {
      if (!shared.has(engine)) shared.set(engine, prepare(engine));
      return shared.get(engine) as ReturnType<typeof prepare>;
    };
    afterAll(async () => {
      for (const { extractor, tensors } of await Promise.all(shared.values())) {
        tf.dispose(tensors as tf.TensorContainer);
        extractor.dispose();
      }
    });

    it.skipIf(!hasShared('vgg19')).each(cases)('%s, engine %s', async (name, engine) => {
      const { extractor, tensors } = await prepared(engine);
      const { image, content, contentFeatures, styleFeatures } = tensors;
      const losses: Record<string, () => Loss> = {
        content_mse_conv2_2: () => contentLoss(contentFeatures, { layers: ['conv2_2'] }),
        content_l1_conv2_2: () => contentLoss(contentFeatures, { layers: ['conv2_2'], distance: 'l1' }),
        style_gram_mse_elements_conv1_1_to_conv3_1_sum: () => styleLoss(styleFeatures),
        style_gram_mse_positions_conv1_1_to_conv3_1_sum: () =>
          styleLoss(styleFeatures, { normalization: 'positions' }),
        style_gram_l1_elements_conv1_1_to_conv3_1_sum: () => styleLoss(styleFeatures, { distance: 'l1' }),
        pixel_l1_to_content: () => pixelLoss(content),
        perceptual_mse_relu2_2_relu3_3_sum: () =>
          perceptualLoss(contentFeatures, { layers: ['relu2_2', 'relu3_3'] }),
        tv_l1_mean: () => totalVariationLoss({ distance: 'l1' }),
        tv_l2_mean: () => totalVariationLoss(),
        paper_total_alpha1_beta1e6: () =>
          sum([
            contentLoss(contentFeatures, { layers: ['conv2_2'] }),
            weighted(1e6, styleLoss(styleFeatures)),
          ]),
      };
      const { value, gradNorm, grad } = reference.losses[name as keyof typeof reference.losses];
      const loss = losses[name]();
      const objective = createObjective(extractor, loss, [64, 96]);
      const found = await expectNoLeak(() => objective.evaluate(image));
      expect(found.value).toBeAllclose(value, { rtol: 1e-4 });
      const gradient = found.gradient.dataSync<'float32'>();
      expect(Math.hypot(...gradient)).toBeAllclose(gradNorm, { rtol: 1e-4 });
      // Components relative to the root mean square of all: small ones are sums of large ones of both signs.
      const typical = gradNorm / Math.sqrt(gradient.length);
      expect(grad.index.map((at) => gradient[at])).toBeAllclose(grad.value, {
        rtol: 1e-4,
        atol: 1e-4 * typical,
      });
      tf.dispose({ ...found } as tf.TensorContainer);
      loss.dispose?.();
      objective.dispose();
    });
  });
});
