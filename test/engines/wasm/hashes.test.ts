import { createHash } from 'node:crypto';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadVgg19 } from '../../../src/engines';
import type { Image } from '../../../src/image/image';
import {
  contentLoss,
  perceptualLoss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
} from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { lbfgs, minimize, pyramidPreconditioner } from '../../../src/optim';

/**
 * The wasm engine gives the same bits on every processor and with any number of threads, and a change of its structure
 * must not change them. A change that makes results more exact changes these hashes, and says so in CHANGELOG.md.
 */
const layers = ['conv1_1', 'conv1_2', 'relu1_2', 'pool1', 'conv2_1', 'conv2_2', 'conv3_1'] as const;
const [height, width] = [45, 38];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Numbers of a linear congruential generator: the same on every JavaScript engine. */
function picture(seed: number, [h, w] = [height, width]): Image {
  let state = seed;
  const values = Float32Array.from({ length: h * w * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 0.1 + 0.8 * (state / 2 ** 32);
  });
  return tf.tensor3d(values, [h, w, 3]);
}

/** SHA-256 of the bytes of tensors and numbers, cut to 16 digits. */
function hashOf(...values: readonly (tf.Tensor | number)[]): string {
  const hash = createHash('sha256');
  for (const value of values)
    hash.update(
      new Uint8Array((typeof value === 'number' ? Float64Array.of(value) : value.dataSync()).slice().buffer),
    );
  return hash.digest('hex').slice(0, 16);
}

describe.each([1, 2])('with %i threads the wasm engine has the bits that it had', (threads) => {
  const load = () => loadVgg19({ weights: 'embedded', engine: 'wasm', threads });

  it('in features and in the gradient of an image', async () => {
    const extractor = await load();
    const { features, pullback } = extractor.linearize(picture(1), layers);
    expect(hashOf(...layers.map((layer) => features[layer] as tf.Tensor))).toBe('eb575f4900d17fc2');
    expect(hashOf(pullback({ conv3_1: features.conv3_1, conv1_2: features.conv1_2 }))).toBe(
      '4debd4cd73ae04bd',
    );
    extractor.dispose();
  });

  it('in Gram matrices of a style image', async () => {
    const extractor = await load();
    const wanted = ['conv1_1', 'relu1_2', 'pool1', 'conv3_1'] as const;
    const grams = extractor.gramMatrices?.(picture(6, [70, 61]), wanted);
    expect(hashOf(...wanted.map((layer) => grams?.[layer] as tf.Tensor))).toBe('cb7e472fdfbd2971');
    extractor.dispose();
  });

  it.each([
    ['with its default history in 8 bits', {}, 'c62d543c0c86771c'],
    ['with a history in float32', { precision: 'float32' }, 'b5ef210efb31e406'],
  ] as const)('in a run of L-BFGS on every loss of the library, %s', async (_, options, expected) => {
    const extractor = await load();
    const content = extractor.extract(picture(2), ['conv2_2', 'conv3_1']);
    const style = extractor.extract(picture(3, [30, 52]), [
      'conv1_1',
      'conv1_2',
      'conv2_1',
      'conv2_2',
      'conv3_1',
    ]);
    const loss = sum([
      contentLoss(content, { layers: ['conv2_2'], distance: 'l1' }),
      weighted(0.5, perceptualLoss(content, { layers: ['conv3_1'] })),
      weighted(1e4, styleLoss(style)),
      weighted(0.1, pixelLoss(picture(4))),
      weighted(0.01, totalVariationLoss()),
    ]);
    const objective = createObjective(extractor, loss, [height, width]);
    const found = await minimize(objective, picture(5), {
      method: lbfgs({ ...options, preconditioner: pyramidPreconditioner() }),
      bounds: [0, 1],
      maxIterations: 8,
    });
    expect(hashOf(found.x, found.value)).toBe(expected);
    objective.dispose();
    extractor.dispose();
  });
});
