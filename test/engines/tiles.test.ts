import { describe, it } from 'vitest';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import type { LayerName } from '../../src/features/layer-name';
import type { Padding } from '../../src/features/padding';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import { contentLoss, styleLoss, sum, totalVariationLoss, weighted } from '../../src/losses';
import { lossOfImage } from '../../src/losses/image-target';
import { tinyExtractor } from '../../src/testing';
import { expectTilesLikeWhole, tileContract } from '../contracts/tiles';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import { hasShared } from '../support/shared';
import { realVgg19 } from '../support/vgg19';
import { randomWeights } from './wasm/random-weights';

const network = (padding: Padding) =>
  loadedVgg19(randomWeights('conv3_1'), {
    lastLayer: 'conv3_1',
    convention: 'caffe',
    pooling: 'average',
    padding,
    weightsName: 'random',
  });

onEachBackend((backend) => {
  describe('tiles of the tfjs engine', () =>
    tileContract(() => tinyExtractor({ seed: 3, pooling: 'average' })));
  // The engine's kernels do not depend on the backend, which computes losses without terms.
  if (backend === 'cpu') {
    describe('tiles of the wasm engine', () =>
      tileContract(() => createWasmExtractor({ ...network('zero'), threads: 2 })));
  }

  const layers = ['conv1_1', 'relu1_2', 'conv3_1'] as const;
  it.each([
    ['tfjs', 'replicate'],
    ['tfjs', 'reflect'],
    ['wasm', 'replicate'],
    ['wasm', 'reflect'],
  ] as const)(
    'tiles of engine %s give loss and gradient of the whole image with padding %s',
    async (engine, padding) => {
      const extractor =
        engine === 'wasm'
          ? await createWasmExtractor({ ...network(padding), threads: 2 })
          : tinyExtractor({ seed: 3, pooling: 'average', padding });
      const [content, style] = [noise(104, 17, 1), noise(19, 14, 2)];
      const loss = sum([
        lossOfImage(extractor, content, { name: 'content', layers: ['relu1_2', 'conv3_1'], distance: 'mse' }),
        weighted(1e3, styleLoss(extractor.extract(style, layers))),
        totalVariationLoss(),
      ]);
      await expectTilesLikeWhole(extractor, loss, [104, 17]);
      loss.dispose?.();
      extractor.dispose();
    },
  );

  // The cpu backend's loops take minutes.
  if (backend === 'wasm') {
    it.skipIf(!hasShared('vgg19-uint8')).each(['tfjs', 'wasm'] as const)(
      'tiles of VGG-19 to conv5_1 give loss and gradient of the whole image at every layer, engine %s',
      async (engine) => {
        const extractor = await realVgg19('conv5_1', 'vgg19-uint8', engine);
        const size = [387, 17] as const;
        const layers: LayerName[] = ['conv1_1', 'conv2_1', 'conv3_1', 'conv4_1', 'conv5_1'];
        const [content, style] = [noise(...size, 1), noise(40, 48, 2)];
        const loss = sum([
          lossOfImage(extractor, content, {
            name: 'content',
            layers: ['relu4_2', 'conv5_1'],
            distance: 'mse',
          }),
          contentLoss(extractor.extract(content, ['conv3_2'])),
          weighted(1e5, styleLoss(extractor.extract(style, layers))),
          totalVariationLoss(),
        ]);
        // Three: one of them is inside.
        await expectTilesLikeWhole(extractor, loss, size, [3]);
        loss.dispose?.();
        extractor.dispose();
      },
    );
  }
});
