import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { stepsUpTo } from '../../src/features/layers';
import { createWasmExtractor } from '../../src/kernels/wasm-extractor';
import { contentLoss, styleLoss, sum } from '../../src/losses';
import { createObjective } from '../../src/objective';
import { randomWeights } from '../kernels/random-weights';
import { expectNear } from '../support/expect-near';

const options = {
  name: 'vgg19',
  weightsName: 'random',
  steps: stepsUpTo('conv3_1'),
  weights: randomWeights('conv3_1'),
  convention: 'caffe',
} as const;

const noise = (height: number, width: number, seed: number) =>
  tf.randomUniform<tf.Rank.R3>([height, width, 3], 0, 1, 'float32', seed);

/** Loss and gradient of a small scene. */
async function evaluate(how: { threads: number; relaxedSimd?: boolean }): Promise<Float32Array> {
  const extractor = await createWasmExtractor({ ...options, ...how });
  const loss = sum([
    contentLoss(extractor.extract(noise(45, 61, 1), ['conv2_2'])),
    styleLoss(extractor.extract(noise(40, 40, 2), ['conv1_1', 'relu2_1', 'conv3_1'])),
  ]);
  const { value, gradient } = createObjective(extractor, loss, [45, 61]).evaluate(noise(45, 61, 3));
  extractor.dispose();
  return Float32Array.of(...value.dataSync<'float32'>(), ...gradient.dataSync<'float32'>());
}

describe('our own kernels in a page', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('run on Web Workers where the page is cross-origin isolated, with the same result to the bit', async () => {
    expect(crossOriginIsolated).toBe(true);
    expect(await evaluate({ threads: 3 })).toEqual(await evaluate({ threads: 1 }));
  });

  it('run with relaxed SIMD, with the same result to rounding', async () => {
    const [strict, relaxed] = [
      await evaluate({ threads: 1 }),
      await evaluate({ threads: 2, relaxedSimd: true }),
    ];
    expect(Math.abs(relaxed[0] / strict[0] - 1)).toBeLessThan(1e-5);
    expectNear(tf.tensor1d(relaxed.subarray(1)), tf.tensor1d(strict.subarray(1)), 1e-3);
  });
});
