import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { contentLoss, styleLoss, sum, weighted } from '../../../src/losses';
import { loadVgg19 } from '../../../src/node';
import { createObjective } from '../../../src/objective';
import reference from '../../reference/losses.json' with { type: 'json' };
import { referenceTensor } from '../../support/reference-image';
import { hasShared, shared } from '../../support/shared';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import '../../support/to-be-allclose';

describe.skipIf(!hasWebgpu || !hasShared('vgg19'))('the engine webgpu', () => {
  onWebgpu();

  it("computes the paper's loss and gradient as PyTorch does in float64", { timeout: 900_000 }, async () => {
    const extractor = await loadVgg19({ weights: shared('vgg19'), engine: 'webgpu' });
    expect(extractor.engine).toBe('webgpu');
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
  });
});
