import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeEmbedded } from '../../../scripts/train-embedded/embedded-file';
import { recipe } from '../../../scripts/train-embedded/recipe';
import { trainingPictures } from '../../../scripts/train-embedded/training-pictures';
import { loadVgg19 } from '../../../src/engines/load-vgg19';
import { embeddedWeights } from '../../../src/features/vgg19/embedded';
import {
  decodeEmbeddedLayer,
  embeddedLayers,
  headerBytes,
} from '../../../src/features/vgg19/embedded/embedded-file';
import { Random } from '../../../src/random';

const file = resolve(import.meta.dirname, '../../../src/features/vgg19/embedded/embedded.bin');
/** What `npm run train:embedded` prints. */
const sha256 = 'c41067b62718aa06e3eadd1c8c22553d29d5f8a1430f4f74ccba490fc4ed3ce6';

/** Input and output channels of the five layers. */
const channels = [
  [3, 64],
  [64, 64],
  [64, 128],
  [128, 128],
  [128, 256],
] as const;

describe('embedded.bin', () => {
  it('is the file that the training script makes', async () => {
    const bytes = await readFile(file);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  });

  it('has the header, the seed, and the five layers to the byte', async () => {
    const bytes = await readFile(file);
    expect(bytes.toString('ascii', 0, 4)).toBe('EMB1');
    expect(bytes.readUInt32LE(4)).toBe(recipe.seed);
    const layers = channels.reduce((size, [from, to]) => size + 9 * from * to + 8 * to, 0);
    expect(bytes.length).toBe(headerBytes + layers);
  });

  it('takes at most 0.75 MB of the package, base64 as it is there', async () => {
    const bytes = await readFile(file);
    expect(bytes.toString('base64').length).toBeLessThanOrEqual(750_000);
  });
});

describe('its encoding', () => {
  const random = new Random(2);
  const layers = channels.map(([from, to]) => ({
    kernel: new Float32Array(9 * from * to).map(() => random.normal()),
    bias: new Float32Array(to).map(() => random.normal()),
  }));
  const bytes = encodeEmbedded(layers, 77);

  it.each(embeddedLayers.map((layer, i) => ({ layer, i })))(
    'gives $layer back: biases exactly, kernels to half a step of their channel',
    ({ layer, i }) => {
      const { kernel, bias } = decodeEmbeddedLayer(bytes, layer);
      expect(bias).toEqual(layers[i].bias);
      const count = bias.length;
      const largest = new Float32Array(count);
      layers[i].kernel.forEach((value, at) => {
        largest[at % count] = Math.max(largest[at % count], Math.abs(value));
      });
      const worst = kernel.reduce((most, value, at) => {
        return Math.max(most, Math.abs(value - layers[i].kernel[at]) / (largest[at % count] / 127));
      }, 0);
      expect(worst).toBeLessThanOrEqual(0.5001);
    },
  );

  it('can be read from any place in a buffer', () => {
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeEmbeddedLayer(shifted.subarray(1), 'conv3_1')).toEqual(
      decodeEmbeddedLayer(bytes, 'conv3_1'),
    );
  });
});

describe('embeddedWeights', () => {
  it('reads what is asked for, with shapes of VGG-19 and finite numbers', async () => {
    const read = await embeddedWeights.read(embeddedLayers);
    expect([...read.keys()]).toEqual(embeddedLayers);
    for (const [i, layer] of embeddedLayers.entries()) {
      const weights = read.get(layer);
      expect(weights?.kernel.length).toBe(9 * channels[i][0] * channels[i][1]);
      expect(weights?.bias.length).toBe(channels[i][1]);
      expect(weights?.kernel.every(Number.isFinite)).toBe(true);
    }
    expect([...(await embeddedWeights.read(['conv2_2'])).keys()]).toEqual(['conv2_2']);
  });

  it('gives numbers of their own to every reader', async () => {
    const [a, b] = [await embeddedWeights.read(['conv1_1']), await embeddedWeights.read(['conv1_1'])];
    const expected = a.get('conv1_1')?.bias.slice();
    a.get('conv1_1')?.bias.fill(9);
    expect(b.get('conv1_1')?.bias).toEqual(expected);
  });

  it('says that it is not VGG-19, and refuses layers that it does not have', async () => {
    expect(embeddedWeights.embedded).toBe(true);
    expect(embeddedWeights.name).toContain('not VGG-19');
    await expect(embeddedWeights.read(['conv3_2'])).rejects.toMatchObject({ code: 'MISSING_LAYER' });
  });
});

describe('the embedded network', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it('responds as it was calibrated to, to pictures that it has not seen', async () => {
    const unseen = trainingPictures({ strokes: 4, deadLeaves: 3, stripes: 1, clouds: 1 }, 64, 12345);
    const network = await loadVgg19({ weights: embeddedWeights });
    const responses = new Map(embeddedLayers.map((layer) => [layer, [] as number[]]));
    for (const { data, width, height } of unseen) {
      const image = tf.tensor3d(data, [height, width, 3]);
      const features = network.extract(image, embeddedLayers);
      for (const layer of embeddedLayers) {
        const values = features[layer]?.dataSync() ?? [];
        for (let i = 0; i < values.length; i += 7) responses.get(layer)?.push(values[i]);
      }
      tf.dispose([image, features as tf.TensorContainer]);
    }
    network.dispose();
    for (const [i, layer] of embeddedLayers.entries()) {
      const values = responses.get(layer) ?? [];
      const positive = values.filter((value) => value > 0).length / values.length;
      expect(positive).toBeGreaterThan(recipe.layers[i].active - 0.1);
      expect(positive).toBeLessThan(recipe.layers[i].active + 0.1);
    }
  });
});
