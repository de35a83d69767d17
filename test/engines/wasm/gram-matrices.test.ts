import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineExtractor } from '../../../src/engines/engine';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import type { LayerName } from '../../../src/features/layer-name';
import { convolutionWeights, type LoadedNetwork } from '../../../src/features/network';
import { loadedVgg19 } from '../../../src/features/vgg19/network';
import type { Image } from '../../../src/image/image';
import type { GramNormalization } from '../../../src/losses/gram-matrix';
import { expectNoLeak } from '../../../src/testing';
import { expectNear } from '../../support/expect-near';
import { noise } from '../../support/images';
import { randomWeights } from './random-weights';

const network = loadedVgg19(randomWeights('conv3_1'), {
  lastLayer: 'conv3_1',
  convention: 'torchvision',
  weightsName: 'random',
});
const layers = ['conv1_1', 'relu1_1', 'conv1_2', 'pool1', 'relu2_2', 'conv3_1'] as const;

/** Largest difference of entries, relative to the entries on the diagonal of their row and column, which bound them. */
function error(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const n = Math.sqrt(expected.length);
  let most = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const scale = Math.sqrt(expected[i * n + i] * expected[j * n + j]);
      const difference = Math.abs(found[i * n + j] - expected[i * n + j]);
      // A channel that is dead has zeros.
      if (difference !== 0) most = Math.max(most, difference / scale);
    }
  return most;
}

/** A smooth picture with some noise: neighbours are alike, as in photographs, so that filters for edges see little. */
function picture(height: number, width: number): Image {
  let state = 1;
  const values = new Float32Array(height * width * 3);
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    values[i] = 0.6 + 0.25 * Math.sin(y / 90 + x / 60 + (i % 3)) + (0.05 * state) / 2 ** 32;
  }
  return tf.tensor3d(values, [height, width, 3]);
}

/** The Gram matrix of a feature map [pixels][n], in double precision. */
function gramOf(features: ArrayLike<number>, n: number, divisor: number): Float64Array {
  const sums = new Float64Array(n * n);
  for (let at = 0; at < features.length; at += n)
    for (let i = 0; i < n; i++) {
      const factor = features[at + i];
      for (let j = i; j < n; j++) sums[i * n + j] += factor * features[at + j];
    }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sums[i * n + j] = sums[j * n + i];
  return sums.map((sum) => sum / divisor);
}

/**
 * The first convolution's Gram matrix by elements in double precision throughout: A^T M A, where M holds the sums of
 * products of what its 27 taps read, and of 1 for the bias, and A its weights. That is a tenth of the work of the
 * feature map's own products.
 */
function firstGram({ network: { steps, input }, weights }: LoadedNetwork, image: Image): Float64Array {
  const [first] = steps;
  if (first.op !== 'conv') throw new Error('no convolution');
  const { kernel, bias } = convolutionWeights(first, weights);
  const n = bias.length;
  const [height, width] = image.shape;
  const values = Float64Array.from(
    image.dataSync(),
    (value, i) => value * input.scale[i % 3] + input.offset[i % 3],
  );
  const row = new Float64Array(width * 28);
  const moments = new Float64Array(28 * 28);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (let x = 0; x < width; x++) {
      for (let tap = 0; tap < 27; tap++) {
        const [v, u, c] = [y + Math.floor(tap / 9) - 1, x + (Math.floor(tap / 3) % 3) - 1, tap % 3];
        if (v >= 0 && u >= 0 && v < height && u < width) row[x * 28 + tap] = values[(v * width + u) * 3 + c];
      }
      row[x * 28 + 27] = 1;
    }
    const part = gramOf(row, 28, height * width * n);
    for (let i = 0; i < moments.length; i++) moments[i] += part[i];
  }
  const weightOf = (tap: number, channel: number) => (tap < 27 ? kernel[tap * n + channel] : bias[channel]);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let a = 0; a < 28; a++)
      for (let b = 0; b < 28; b++) sum += weightOf(a, i) * moments[a * 28 + b] * weightOf(b, j);
    return sum;
  });
}

describe.each([1, 2])('Gram matrices of the engine, on %d threads', (threads) => {
  let extractor: EngineExtractor;
  const grams = (image: Image, wanted: readonly LayerName[], normalization?: GramNormalization) =>
    extractor.gramMatrices?.(image, wanted, { normalization }) ?? {};
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });
  const load = async () => {
    extractor = await createWasmExtractor({ ...network, threads });
  };
  afterEach(() => extractor.dispose());

  it.each([
    [1, 1],
    [4, 9],
    [37, 150],
    [150, 37],
    [70, 260],
  ])('are those of the feature maps, %d x %d', async (height, width) => {
    await load();
    const wanted = layers.filter((layer) => Math.min(height, width) > 3 || layer.startsWith('conv1'));
    const image = noise(height, width, 3);
    const features = extractor.extract(image, wanted);
    const sums = wanted.map((layer) => {
      const { shape } = features[layer] as tf.Tensor4D;
      return gramOf((features[layer] as tf.Tensor4D).dataSync(), shape[3], 1);
    });
    for (const normalization of ['elements', 'positions', 'none'] as const) {
      const found = await expectNoLeak(() => grams(image, wanted, normalization));
      expect(Object.keys(found).sort()).toEqual([...wanted].sort());
      for (const [i, layer] of wanted.entries()) {
        const feature = features[layer] as tf.Tensor4D;
        const [, h, w, n] = feature.shape;
        expect(found[layer]?.shape).toEqual([n, n]);
        const divisor = { elements: h * w * n, positions: h * w, none: 1 }[normalization];
        const exact = sums[i].map((sum) => sum / divisor);
        expect(error((found[layer] as tf.Tensor).dataSync(), exact)).toBeLessThan(1e-6);
      }
      tf.dispose(found as tf.TensorContainer);
    }
  });

  it('are those of the whole image where bands of it are all that fits', async () => {
    await load();
    const image = noise(90, 41);
    const whole = grams(image, layers);
    const oneBand = vi.spyOn(KernelRunner.prototype, 'run');
    tf.dispose(grams(image, layers) as tf.TensorContainer);
    const runs = oneBand.mock.calls.length;
    oneBand.mockRestore();
    // Sums of products take 4.2 MB of it.
    for (const room of [4.7e6, 5e6]) {
      const run = vi.spyOn(KernelRunner.prototype, 'run');
      const found = extractor.gramMatrices?.(image, layers, { room }) ?? {};
      expect(run.mock.calls.length).toBeGreaterThan(1.5 * runs);
      run.mockRestore();
      // Features round differently in other tiles of a convolution, which near a ReLU's zero are large parts of them.
      for (const layer of layers) expectNear(found[layer] as tf.Tensor, whole[layer] as tf.Tensor, 2e-6);
    }
    expect(() => extractor.gramMatrices?.(image, layers, { room: 4.2e6 })).toThrow(
      /^A style image of 41 x 90/,
    );
  });

  it('are the same where other tasks get turns, which may abort them', async () => {
    await load();
    const image = noise(40, 30);
    const { conv1_1, conv3_1 } = grams(image, ['conv1_1', 'conv3_1']);
    const inTurns = await extractor.gramMatricesInTurns?.(image, ['conv1_1', 'conv3_1']);
    expect(inTurns?.conv1_1?.dataSync()).toEqual(conv1_1?.dataSync());
    expect(inTurns?.conv3_1?.dataSync()).toEqual(conv3_1?.dataSync());
    const controller = new AbortController();
    const { numTensors } = tf.memory();
    const reason = new Error('enough');
    const { signal } = controller;
    const aborted = extractor.gramMatricesInTurns?.(image, ['conv3_1'], { signal });
    setTimeout(() => controller.abort(reason));
    await expect(aborted).rejects.toBe(reason);
    const ended = extractor.gramMatricesInTurns?.(image, ['conv3_1']);
    setTimeout(() => extractor.dispose());
    await expect(ended).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('are given for layers of the network only', async () => {
    await load();
    expect(() => grams(noise(8, 8), ['image'])).toThrow(/layer is 'image'. Accepted: conv1_1/);
    expect(() => grams(noise(8, 8), ['conv4_1'])).toThrow(/layer is 'conv4_1'/);
    expect(() => grams(noise(8, 8), ['conv1_1'], 'element' as never)).toThrow(
      /normalization is 'element'; did you mean/,
    );
    expect(() => grams(noise(3, 3), ['conv3_1'])).toThrow(/3x3 pixels; accepted: at least 4x4/);
  });
});

it('Gram matrices are within 1e-5 of double precision throughout at 1024 x 1024 pixels of a smooth picture', async () => {
  await tf.setBackend('cpu');
  const extractor = await createWasmExtractor({ ...network, threads: 2 });
  const image = picture(1024, 1024);
  const { conv1_1 } = extractor.gramMatrices?.(image, ['conv1_1']) ?? {};
  expect(error((conv1_1 as tf.Tensor2D).dataSync(), firstGram(network, image))).toBeLessThan(1e-6);
  extractor.dispose();
});

/** Minutes and 8 GB; TFJS_STYLE_TRANSFER_LARGE=1 runs it. */
it.runIf(process.env.TFJS_STYLE_TRANSFER_LARGE)(
  'Gram matrices of every layer are within 1e-5 of double precision at 2048 x 2048 pixels',
  async () => {
    const extractor = await createWasmExtractor({ ...network, threads: 2 });
    const image = picture(2048, 2048);
    const wanted = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] as const;
    const found = extractor.gramMatrices?.(image, wanted) ?? {};
    const errors: Record<string, number> = {
      first: error((found.conv1_1 as tf.Tensor2D).dataSync(), firstGram(network, image)),
    };
    extractor.extractEach?.(image, wanted, (layer, feature) => {
      const [, h, w, n] = feature.shape;
      const exact = gramOf(feature.dataSync(), n, h * w * n);
      errors[layer] = error((found[layer] as tf.Tensor2D).dataSync(), exact);
    });
    console.log(errors);
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-5);
    extractor.dispose();
  },
  900_000,
);
