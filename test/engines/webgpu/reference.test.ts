import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createWebgpuExtractor } from '../../../src/engines/webgpu/webgpu-extractor';
import { convolutionsUpTo } from '../../../src/features/vgg19/layers';
import { loadedVgg19 } from '../../../src/features/vgg19/network';
import { contentLoss, styleLoss, sum, weighted } from '../../../src/losses';
import { directoryWeights } from '../../../src/node/directory-weights';
import { createObjective } from '../../../src/objective';
import reference from '../../reference/losses.json' with { type: 'json' };
import { convolutionsBy } from '../../support/convolutions';
import { referenceTensor } from '../../support/reference-image';
import { hasShared, shared } from '../../support/shared';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import '../../support/to-be-allclose';

/** Each takes minutes on Chromium's driver, most of it to compile. */
const forms = process.env.VK_ICD_FILENAMES ? (['taps', 'windows2', 'windows4'] as const) : [];
if (forms.length === 0)
  console.warn(
    "skipped: VGG-19 by each form of convolutions (VK_ICD_FILENAMES names no driver beside Chromium's)",
  );

describe.skipIf(!hasWebgpu || !hasShared('vgg19'))('the engine webgpu', () => {
  onWebgpu();

  it.each(['the table', ...forms] as const)(
    "computes the paper's loss and gradient as PyTorch does in float64, convolutions by %s",
    { timeout: 900_000 },
    async (form) => {
      const weights = await directoryWeights(shared('vgg19')).read(convolutionsUpTo('conv3_1'));
      const about = { lastLayer: 'conv3_1', convention: 'caffe', weightsName: 'vgg19' } as const;
      const convolutions = form === 'the table' ? {} : { convolutions: convolutionsBy(form) };
      const extractor = createWebgpuExtractor(loadedVgg19(weights, about), convolutions);
      const [image, content, style] = await Promise.all(
        ['image-96x64.png', 'content-96x64.png', 'style-80x72.png'].map(referenceTensor),
      );
      const contentFeatures = extractor.extract(content, ['conv2_2']);
      const styleFeatures = extractor.extract(style, ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1']);
      const loss = sum([contentLoss(contentFeatures), weighted(1e6, styleLoss(styleFeatures))]);
      const objective = createObjective(extractor, loss, [64, 96]);
      const { value, gradient, terms } = objective.evaluate(image);
      const wanted = reference.losses.paper_total_alpha1_beta1e6;
      expect(await value.data()).toBeAllclose([wanted.value], { rtol: 1e-5 });
      const found = await gradient.data<'float32'>();
      expect([Math.hypot(...found)]).toBeAllclose([wanted.gradNorm], { rtol: 1e-5 });
      const typical = wanted.gradNorm / Math.sqrt(found.length);
      expect(wanted.grad.index.map((at) => found[at])).toBeAllclose(wanted.grad.value, {
        rtol: 1e-4,
        atol: 1e-4 * typical,
      });
      tf.dispose([value, gradient, terms, contentFeatures, styleFeatures, image, content, style] as never);
      loss.dispose?.();
      objective.dispose();
      extractor.dispose();
    },
  );
});
