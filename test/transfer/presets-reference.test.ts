import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { leaves } from '../../src/losses';
import { loadVgg19 } from '../../src/node';
import { presetLoss } from '../../src/transfer/preset-loss';
import { getPreset, presetLayers } from '../../src/transfer/presets';
import reference from '../reference/presets.json' with { type: 'json' };
import { referenceTensor } from '../support/reference-image';
import { hasShared, shared } from '../support/shared';

/**
 * Relative differences that are known. crowsonkb: a larger number on the diagonal of covariances, where 1e-4 is lost in
 * float32; differences of diagonal neighbours in its total variation, on an image of noise. neural-style: pixels of 0
 * to 256 there, so that features are larger by 1/255 before the mean is taken off; the last row and column, which take
 * no part in its total variation.
 */
const tolerances = {
  crowsonkb: { content: 1e-4, style: 2e-3, totalVariation: 0.2 },
  'neural-style': { content: 0.02, style: 0.05, totalVariation: 0.03 },
} as const;

describe.skipIf(!hasShared('vgg19-uint8'))(
  'presets have the losses of the programs that they are named for',
  () => {
    it.each([
      ['crowsonkb', 'wasm'],
      ['crowsonkb', 'tfjs'],
      ['neural-style', 'wasm'],
    ] as const)('%s, engine %s', async (name, engine) => {
      await tf.setBackend('wasm');
      const preset = getPreset(name);
      const { padding } = preset;
      const weights = shared('vgg19-uint8');
      const extractor = await loadVgg19({ weights, lastLayer: 'relu5_1', padding, engine });
      const [image, content, style] = await Promise.all(
        ['image-96x64.png', 'content-96x64.png', 'style-80x72.png'].map(referenceTensor),
      );
      const loss = presetLoss(preset, { extractor, content, style });
      const features = extractor.extract(image, ['image', ...presetLayers(preset)]);
      for (const { weight, loss: leaf } of leaves(loss)) {
        const part = leaf.name as keyof (typeof tolerances)['crowsonkb'];
        const found = weight * leaf.compute(features).dataSync()[0];
        const error = Math.abs(found / reference[name][part] - 1);
        expect(error, `${part}: ${found}`).toBeLessThan(tolerances[name][part]);
      }
      loss.dispose?.();
      extractor.dispose();
    });
  },
);
