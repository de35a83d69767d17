import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LayerName } from '../../src/features/layer-name';
import type { Loss } from '../../src/losses/loss';
import { cosineSimilarity, cosineSimilarityOfTensors, ssim, ssimOfTensors } from '../../src/metrics';
import { createObjective } from '../../src/objective';
import { checkGradient, expectNoLeak, tinyExtractor } from '../../src/testing';
import { noisePixels } from '../support/pixels';
import { ssimPaths } from '../support/ssim-paths';

const noise = (height: number, width: number, seed: number) =>
  tf.tensor3d(
    Float32Array.from(noisePixels(width, height, seed).data, (v) => 0.2 + v / 425),
    [height, width, 3],
  );

/** A loss over the layer's features and a second input, `second:input`, so that both gradients are checked. */
const lossOf = (
  name: string,
  layers: LayerName[],
  compute: (a: tf.Tensor4D, b: tf.Tensor4D) => tf.Scalar,
): Loss => ({
  name,
  layers,
  compute: (features) => compute(features[layers[0]] as tf.Tensor4D, features[layers[1]] as tf.Tensor4D),
});

describe.each(ssimPaths)('$name', ({ backend, ssimOf }) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each([
    { channels: 'luma' },
    { channels: 'rgb' },
    { channels: 'rgb', window: 'uniform' },
    { channels: 'rgb', dataRange: 3 },
  ] as const)(
    'the gradient of ssimOfTensors with %o is that of central differences, for both images',
    async (options) => {
      const features = {
        image: tf.expandDims<tf.Tensor4D>(noise(14, 17, 1), 0),
        'other:image': tf.expandDims<tf.Tensor4D>(noise(14, 17, 2), 0),
      };
      const similarity = lossOf('ssim', ['image', 'other:image'], (a, b) => ssimOf(a, b, options));
      await checkGradient(similarity, features, { tolerance: 2e-3, directions: 8 });
      tf.dispose(features);
    },
  );

  it('the gradient of cosineSimilarityOfTensors is that of central differences, for both tensors', async () => {
    const features = {
      conv1_1: tf.randomNormal<tf.Rank.R4>([1, 4, 5, 6], 0, 1, 'float32', 1),
      conv2_1: tf.randomNormal<tf.Rank.R4>([1, 4, 5, 6], 0, 1, 'float32', 2),
    };
    const similarity = lossOf('cosine', ['conv1_1', 'conv2_1'], cosineSimilarityOfTensors);
    await checkGradient(similarity, features, { tolerance: 2e-3, directions: 8 });
    tf.dispose(features);
  });

  it('1 - ssim is a loss whose gradient goes through the objective', async () => {
    const extractor = tinyExtractor();
    const [image, target] = [noise(16, 16, 3), noise(16, 16, 4)];
    const structure: Loss = {
      name: 'structure',
      layers: ['image'],
      compute: (features) =>
        tf.tidy(() => tf.sub(1, ssimOf(features.image as tf.Tensor4D, tf.expandDims(target, 0)))),
    };
    const objective = createObjective(extractor, structure, [16, 16]);
    await checkGradient(objective, image, { tolerance: 5e-3 });
    objective.dispose();
    extractor.dispose();
    tf.dispose([image, target]);
  });

  it('a step along the gradient of ssim makes the images more alike', async () => {
    const [image, target] = [noise(16, 16, 5), noise(16, 16, 6)];
    const [before, after] = tf.tidy(() => {
      const gradient = tf.grad((x) => ssimOf(x as tf.Tensor3D, target))(image);
      const moved = tf.add(image, tf.mul(gradient, 2)) as tf.Tensor3D;
      return [image, moved].map((x) => ssimOf(x, target).dataSync()[0]);
    });
    expect(after).toBeGreaterThan(before);
    tf.dispose([image, target]);
  });

  it('the gradients at equal images are 0: nothing is more alike', () => {
    const image = noise(14, 14, 7);
    tf.tidy(() => {
      for (const similarity of [ssimOf, cosineSimilarityOfTensors]) {
        const gradient = tf.grad((x) => similarity(x as tf.Tensor3D, image))(image);
        expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeLessThan(1e-5);
      }
    });
    image.dispose();
  });

  it('values and gradients at zero tensors and constant images are finite', () => {
    tf.tidy(() => {
      const [zero, grey] = [tf.zeros<tf.Rank.R3>([12, 12, 3]), tf.fill<tf.Rank.R3>([12, 12, 3], 0.5)];
      const cases: [tf.Tensor3D, tf.Tensor3D, number][] = [
        [zero, zero, 1],
        [zero, grey, 0],
        [grey, zero, 0],
        [grey, grey, 1],
      ];
      for (const [a, b, cosine] of cases) {
        expect(cosineSimilarityOfTensors(a, b).dataSync()[0]).toBeCloseTo(cosine, 6);
        for (const similarity of [ssimOf, cosineSimilarityOfTensors]) {
          const gradient = tf
            .grad((x) => similarity(x as tf.Tensor3D, b))(a)
            .dataSync();
          expect(gradient.every(Number.isFinite)).toBe(true);
        }
      }
    });
  });

  it('they agree with the metrics', async () => {
    const [a, b] = [noise(24, 20, 8), noise(24, 20, 9)];
    const [cosine, similarity] = tf.tidy(() => [
      cosineSimilarityOfTensors(a, b).dataSync()[0],
      ssimOf(a, b, { channels: 'rgb' }).dataSync()[0],
    ]);
    expect(cosine).toBeCloseTo(await cosineSimilarity(a, b), 6);
    expect(similarity).toBeCloseTo(await ssim(a, b, { channels: 'rgb' }), 6);
    // The metric rounds its grey to 8 bits.
    const luma = tf.tidy(() => ssimOf(a, b).dataSync()[0]);
    expect(Math.abs(luma - (await ssim(a, b)))).toBeLessThan(5e-3);
    tf.dispose([a, b]);
  });

  it('values and gradients leave no tensor behind', async () => {
    const [a, b] = [noise(14, 14, 1), noise(14, 14, 2)];
    for (const similarity of [ssimOf, cosineSimilarityOfTensors]) {
      (await expectNoLeak(() => similarity(a, b))).dispose();
      (await expectNoLeak(() => tf.grad((x) => similarity(x as tf.Tensor3D, b))(a))).dispose();
    }
    await expectNoLeak(() => {
      expect(() =>
        ssimOf(
          a,
          tf.tidy(() => b),
          { window: 'box' as 'uniform' },
        ),
      ).toThrow();
    });
    tf.dispose([a, b]);
  });
});

describe('the differentiable functions refuse', () => {
  let [a, small, wide]: tf.Tensor3D[] = [];
  beforeAll(async () => {
    await tf.setBackend('cpu');
    [a, small, wide] = [noise(14, 14, 1), noise(10, 14, 1), noise(14, 15, 1)];
  });

  it('tensors of two shapes', () => {
    expect(() => ssimOfTensors(a, wide)).toThrow(/\[14,15,3\]; accepted: that of a, \[14,14,3\]/);
    expect(() => cosineSimilarityOfTensors(a, wide)).toThrow(/\[14,15,3\]; accepted: that of a, \[14,14,3\]/);
  });

  it('images smaller than the window', () => {
    expect(() => ssimOfTensors(small, small)).toThrow(/14x10; accepted: at least 11x11/);
    expect(() => ssimOfTensors(small, small, { window: 'uniform' }).dispose()).not.toThrow();
  });

  it('what has no grey, where grey is wanted', () => {
    const feature = tf.zeros<tf.Rank.R4>([1, 14, 14, 8]);
    expect(() => ssimOfTensors(feature, feature)).toThrow(/accepted: \[height, width, 3\]/);
    expect(ssimOfTensors(feature, feature, { channels: 'rgb' }).dataSync()[0]).toBe(1);
  });

  it('a batch', () => {
    const batch = tf.zeros<tf.Rank.R4>([2, 14, 14, 3]);
    expect(() => ssimOfTensors(batch, batch)).toThrow(/\[2,14,14,3\]/);
  });
});
