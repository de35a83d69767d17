import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeEmbedded } from '../../scripts/train-embedded/embedded-file';
import { calibrated } from '../../scripts/train-embedded/learn-layers';
import { recipe } from '../../scripts/train-embedded/recipe';
import { train } from '../../scripts/train-embedded/train';
import { Random } from '../../src/random';

/** The recipe in seconds. */
const small = {
  ...recipe,
  pictures: { strokes: 3, deadLeaves: 2, stripes: 2, clouds: 2 },
  pictureSide: 32,
  patches: { count: 600, pictures: 6, crop: 32 },
  clusterIterations: 2,
  layers: recipe.layers.map((layer) => ({ ...layer, dimensions: 4 })),
};

describe('training', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it('makes the same file from the same seed, to the bit, and leaves no tensors', () => {
    const before = tf.memory().numTensors;
    const make = () => encodeEmbedded([...train(small, () => {}).values()], small.seed);
    expect(make()).toEqual(make());
    expect(tf.memory().numTensors).toBe(before);
  });

  it('calibrates filters to deviation 1 and the wanted part of positive responses', () => {
    const random = new Random(4);
    const [count, width, channels] = [5000, 6, 3];
    const values = new Float32Array(count * width).map((_, i) => random.normal(2, 1 + (i % width)));
    const filters = new Float32Array(width * channels).map(() => random.normal());
    const { kernel, bias } = calibrated({ count, width, values }, filters, channels, 0.7);
    for (let c = 0; c < channels; c++) {
      const responses = Array.from({ length: count }, (_, row) => {
        let sum = bias[c];
        for (let i = 0; i < width; i++) sum += values[row * width + i] * kernel[i * channels + c];
        return sum;
      });
      const mean = responses.reduce((a, b) => a + b) / count;
      const variance = responses.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
      expect(Math.sqrt(variance)).toBeCloseTo(1, 3);
      expect(responses.filter((value) => value > 0).length / count).toBeCloseTo(0.7, 3);
    }
  });
});
