import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FeatureExtractor } from '../../src/features/extractor';
import { contentDistance, cosineSimilarity, styleDistance } from '../../src/metrics';
import { tinyExtractor } from '../../src/testing';
import { constantPixels, noisePixels, pixelsOf } from '../support/pixels';

const image = noisePixels(16, 16, 1);
const other = noisePixels(16, 16, 2);
let extractor: FeatureExtractor;

beforeAll(async () => {
  await tf.setBackend('cpu');
  extractor = tinyExtractor();
});

describe('metrics of features', () => {
  it('of the layer image are those of pixels', async () => {
    const [grey, white] = [constantPixels(4, 4, 51), constantPixels(4, 4, 255)];
    // (1 - 0.2)^2
    expect(await contentDistance(grey, white, { extractor, layers: ['image'] })).toBeCloseTo(0.64, 6);
    expect(await contentDistance(grey, white, { extractor, layers: ['image'], distance: 'l1' })).toBeCloseTo(
      0.8,
      6,
    );
    // Gram entries by positions: 0.2^2 = 0.04 and 1.
    const byPositions = await styleDistance(grey, white, {
      extractor,
      layers: ['image'],
      normalization: 'positions',
    });
    expect(byPositions).toBeCloseTo((1 - 0.04) ** 2, 6);
    const pixels = await cosineSimilarity(image, other);
    expect(await cosineSimilarity(image, other, { extractor, layer: 'image' })).toBeCloseTo(pixels, 6);
  });

  it('style does not change when the image is mirrored, content does', async () => {
    const mirrored = pixelsOf(16, 16, (x, y, c) => image.data[(y * 16 + 15 - x) * 3 + c]);
    expect(await styleDistance(image, mirrored, { extractor, layers: ['image'] })).toBeCloseTo(0, 9);
    expect(await contentDistance(image, mirrored, { extractor, layers: ['image'] })).toBeGreaterThan(0.05);
  });

  it('use the paper’s layers by default', async () => {
    const content = await contentDistance(image, other, { extractor, layers: ['conv2_2'] });
    expect(await contentDistance(image, other, { extractor })).toBe(content);
    const layers = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] as const;
    expect(await styleDistance(image, other, { extractor })).toBe(
      await styleDistance(image, other, { extractor, layers }),
    );
  });

  it('refuse a layer without an extractor, an extractor without a layer, and unknown layers', async () => {
    const wrong = (options: object) => cosineSimilarity(image, other, options);
    await expect(wrong({ layer: 'conv1_1' })).rejects.toMatchObject({ code: 'NO_EXTRACTOR' });
    await expect(wrong({ extractor })).rejects.toMatchObject({ code: 'NO_LAYER' });
    await expect(wrong({ extractor, layer: 'conv9_1' })).rejects.toMatchObject({ code: 'UNKNOWN_NAME' });
    await expect(contentDistance(image, other, { extractor, layers: [] })).rejects.toMatchObject({
      code: 'NO_LAYER',
    });
    await expect(styleDistance(image, other, {} as { extractor: FeatureExtractor })).rejects.toThrow(
      /loadVgg19/,
    );
  });
});
