import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { createTfjsExtractor } from '../../../src/engines/tfjs/tfjs-extractor';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import { gpuOf } from '../../../src/engines/webgpu/device/gpu';
import { TfjsDevice } from '../../../src/engines/webgpu/device/tfjs-device';
import type { FilterForm } from '../../../src/engines/webgpu/network/convolutions';
import { gpuSpace } from '../../../src/engines/webgpu/vectors/gpu-space';
import { createWebgpuExtractor } from '../../../src/engines/webgpu/webgpu-extractor';
import type { FeatureExtractor } from '../../../src/features/extractor';
import {
  contentLoss,
  defineLoss,
  type Loss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
} from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { lbfgs, minimize, pyramidPreconditioner } from '../../../src/optim';
import { expectNoLeak } from '../../../src/testing';
import { objectiveContract } from '../../contracts/objective';
import { vectorSpaceContract } from '../../contracts/vector-space';
import { convolutionsBy } from '../../support/convolutions';
import { noise } from '../../support/images';
import '../../support/to-be-allclose';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import { smallNetwork } from './small-network';

/** A loss with every kind of term, at layers before and after their ReLU, and one that only tfjs computes. */
function everyTerm(extractor: FeatureExtractor, [height, width]: readonly [number, number]): Loss {
  const images = [noise(height, width, 1), noise(9, 11, 2), noise(height, width, 3)] as const;
  const content = extractor.extract(images[0], ['conv2_2', 'relu2_1']);
  const style = extractor.extract(images[1], ['conv1_1', 'conv2_1', 'relu1_2', 'relu2_1']);
  const own = defineLoss({
    name: 'own',
    layers: ['image', 'relu1_1'],
    compute: ({ image, relu1_1 }) =>
      tf.add(
        tf.mean(tf.square(tf.sub(image as tf.Tensor4D, 0.5))),
        tf.mean(tf.square(relu1_1 as tf.Tensor4D)),
      ),
  });
  const loss = sum([
    contentLoss(content, { layers: ['conv2_2'] }),
    weighted(30, styleLoss(style, { layers: ['conv1_1', 'conv2_1'] })),
    weighted(20, styleLoss(style, { layers: ['relu1_2', 'relu2_1'], distance: 'relative' })),
    weighted(2, styleLoss(style, { layers: ['relu2_1'], distance: 'l1', normalization: 'positions' })),
    weighted(0.5, perceptualLoss(content, { layers: ['relu2_1'], distance: 'l1' })),
    weighted(3, pixelLoss(images[2])),
    weighted(5, totalVariationLoss()),
    weighted(0.3, totalVariationLoss({ distance: 'l1' })),
    weighted(7, own),
  ]);
  tf.dispose([content, style, images] as tf.TensorContainer);
  return loss;
}

describe.skipIf(!hasWebgpu)('the engine webgpu', { timeout: 600_000 }, () => {
  onWebgpu();
  const make = (network = smallNetwork(), form: FilterForm = 'taps') =>
    createWebgpuExtractor(network, { convolutions: convolutionsBy(form) });

  vectorSpaceContract('vectors on the GPU', (size) => {
    const tfjs = new TfjsDevice();
    const gpu = gpuOf(tfjs.device);
    const space = gpuSpace(gpu, tfjs, [size]);
    return {
      space,
      vector: (components) => space.vector(Float32Array.from(components)),
      scalar: (value) =>
        space.keep({ buffer: gpu.put(Float32Array.of(value), 'scalar') }, 1)([{ index: 0, factor: 1 }]),
      components: async (vector) => {
        const tensor = space.tensor(vector);
        try {
          return await tensor.data();
        } finally {
          tensor.dispose();
        }
      },
    };
  });

  describe('objectives', () => objectiveContract(() => make(), { onGpu: true }));

  it.each([
    ['maxPool', 'zero', [18, 23], 'windows4'],
    ['averagePool', 'replicate', [13, 6], 'windows4'],
    ['maxPool', 'reflect', [7, 10], 'taps'],
  ] as const)(
    'compute what tfjs computes: %s, border %s, %o pixels, by %s',
    async (pool, padding, [height, width], form) => {
      const network = smallNetwork(pool, padding);
      const [own, reference] = [make(network, form), createTfjsExtractor(network)];
      const loss = everyTerm(reference, [height, width]);
      const image = noise(height, width, 4);
      const found = [];
      for (const extractor of [own, reference]) {
        const objective = createObjective(extractor, loss, [height, width]);
        const { value, gradient, terms } = objective.evaluate(image);
        found.push({
          terms: await Promise.all(
            [value, ...Object.values(terms)].map(async (term) => (await term.data())[0]),
          ),
          gradient: Array.from(await gradient.data()),
        });
        tf.dispose([value, gradient, terms]);
        objective.dispose();
      }
      expect(found[0].terms).toBeAllclose(found[1].terms, { rtol: 1e-5 });
      const [ours, theirs] = found.map(({ gradient }) => gradient);
      const error = Math.hypot(...ours.map((g, i) => g - theirs[i])) / Math.hypot(...theirs);
      expect(error).toBeLessThan(1e-4);
      tf.dispose(image);
      for (const one of [own, reference, loss]) one.dispose?.();
    },
  );

  it('minimises as the wasm engine does, evaluation for evaluation, and leaves nothing behind', async () => {
    const size = [18, 23] as const;
    const network = smallNetwork();
    const runs: number[][] = [];
    for (const backend of ['cpu', 'webgpu']) {
      await tf.setBackend(backend);
      const extractor = backend === 'cpu' ? await createWasmExtractor(network) : make(network, 'windows4');
      const images = [noise(...size, 1), noise(9, 11, 2), noise(...size, 9)] as const;
      const content = extractor.extract(images[0], ['conv2_2']);
      const style = extractor.extract(images[1], ['conv1_1', 'conv2_1']);
      const loss = sum([contentLoss(content), weighted(30, styleLoss(style))]);
      const objective = createObjective(extractor, loss, size);
      const losses: number[] = [];
      await expectNoLeak(async () => {
        // The wasm engine keeps a history in 8 bits if it may.
        const method = lbfgs({ precision: 'float32', preconditioner: pyramidPreconditioner() });
        const onStep = ({ value }: { value: number }) => void losses.push(value);
        const limits = { maxIterations: 12, maxEvaluations: 12, bounds: [0, 1] } as const;
        const { x } = await minimize(objective, images[2], { method, ...limits, onStep });
        x.dispose();
      });
      runs.push(losses);
      tf.dispose([images, content, style] as tf.TensorContainer);
      for (const one of [objective, extractor, loss]) one.dispose?.();
    }
    expect(runs[0].length).toBeGreaterThan(8);
    expect(runs[1]).toBeAllclose(runs[0], { rtol: 1e-5 });
  });
});
