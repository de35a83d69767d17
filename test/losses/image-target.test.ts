import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import type { Features } from '../../src/features/extractor';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import { contentLoss, sum } from '../../src/losses';
import { lossOfImage } from '../../src/losses/image-target';
import { createObjective, valueAndCotangents } from '../../src/objective';
import { checkGradient, expectNoLeak, tinyExtractor } from '../../src/testing';
import { randomWeights } from '../engines/wasm/random-weights';
import { onEachBackend } from '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';

describe('a loss of an image in place of its features', () => {
  onEachBackend(() => {
    const layers = ['conv1_1', 'conv2_1'] as const;
    /** The loss of an image, the same by features, and features to evaluate both at. */
    function open() {
      const extractor = tinyExtractor({ seed: 2 });
      const [content, other] = [noise(6, 7, 1), noise(6, 7, 2)];
      const target = extractor.extract(content, layers);
      const byFeatures = contentLoss(target, { distance: 'l1' });
      const byImage = lossOfImage(extractor, content, { name: 'content', layers, distance: 'l1' });
      const at = extractor.extract(other, layers);
      // Neither loss needs what it was made from.
      tf.dispose([content, other, target] as tf.TensorContainer);
      return { extractor, byFeatures, byImage, at };
    }

    it('is the loss of the features, with the same gradient', () => {
      const { byFeatures, byImage, at } = open();
      expect(byImage).toMatchObject({ name: 'content', layers });
      const [expected, found] = [byFeatures, byImage].map((loss) => valueAndCotangents(loss, at));
      expect(found.value).toBeAllclose(expected.value, { rtol: 1e-6 });
      for (const layer of layers)
        expect(found.gradients[layer] as tf.Tensor).toBeAllclose(expected.gradients[layer] as tf.Tensor);
    });

    it('has the gradient that central differences find', async () => {
      const { byImage, at } = open();
      expect((await checkGradient(byImage, at, { tolerance: 5e-3 })).maxError).toBeLessThan(5e-3);
    });

    it('computes the maps once, and frees them and the image with the loss', async () => {
      const before = tf.memory().numTensors;
      const { extractor, byFeatures, byImage, at } = open();
      byImage.compute(at).dispose();
      (await expectNoLeak(() => byImage.compute(at))).dispose();
      byImage.dispose?.();
      byImage.dispose?.();
      expect(() => byImage.compute(at)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      expect(() => byImage.terms).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
      byFeatures.dispose?.();
      extractor.dispose();
      tf.dispose(at as tf.TensorContainer);
      expect(tf.memory().numTensors).toBe(before);
    });

    it('leaves nothing where its layer is unknown', async () => {
      const extractor = tinyExtractor({ layers: ['conv1_1'] });
      const [image, feature] = [noise(4, 4), tf.zeros<tf.Rank.R4>([1, 2, 2, 4])];
      await expectNoLeak(() => {
        const loss = lossOfImage(extractor, image, { name: 'content', layers: ['conv2_1'], distance: 'mse' });
        const at: Features = { conv2_1: feature };
        expect(() => valueAndCotangents(loss, at)).toThrow(expect.objectContaining({ code: 'UNKNOWN_NAME' }));
        loss.dispose?.();
      });
    });
  });

  it('is the same to the bit in the wasm engine, which leaves no map behind', async () => {
    const weightsName = 'random';
    const network = loadedVgg19(randomWeights('conv2_1'), {
      lastLayer: 'conv2_1',
      convention: 'caffe',
      weightsName,
    });
    const extractor = await createWasmExtractor({ ...network, threads: 1 });
    const [content, other] = [noise(9, 11, 1), noise(9, 11, 2)];
    const layers = ['conv1_2', 'conv2_1'] as const;
    const target = extractor.extract(content, layers);
    const byFeatures = contentLoss(target);
    const byImage = lossOfImage(extractor, content, { name: 'content', layers, distance: 'mse' });
    const [expected, found] = [byFeatures, sum([byImage])].map((loss) =>
      createObjective(extractor, loss, [9, 11]).evaluate(other),
    );
    expect(found.value.dataSync()).toEqual(expected.value.dataSync());
    expect(found.gradient.dataSync()).toEqual(expected.gradient.dataSync());
    await expectNoLeak(() => createObjective(extractor, byImage, [9, 11]).dispose());
    extractor.dispose();
  });
});
