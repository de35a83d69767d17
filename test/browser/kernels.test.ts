import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWasmExtractor } from '../../src/engines/wasm/wasm-extractor';
import { loadedVgg19 } from '../../src/features/vgg19/network';
import { contentLoss, styleLoss, sum } from '../../src/losses';
import { createObjective } from '../../src/objective';
import { lbfgs, minimize, pyramidPreconditioner } from '../../src/optim';
import { randomWeights } from '../engines/wasm/random-weights';
import { expectNear } from '../support/expect-near';

const options = loadedVgg19(randomWeights('conv3_1'), {
  lastLayer: 'conv3_1',
  convention: 'caffe',
  weightsName: 'random',
});

const noise = (height: number, width: number, seed: number) =>
  tf.randomUniform<tf.Rank.R3>([height, width, 3], 0, 1, 'float32', seed);

/** Loss and gradient of a small scene, and the image after some steps. */
async function work(how: { threads: number; relaxedSimd?: boolean }) {
  const extractor = await createWasmExtractor({ ...options, ...how });
  const loss = sum([
    contentLoss(extractor.extract(noise(45, 61, 1), ['conv2_2'])),
    styleLoss(extractor.extract(noise(40, 40, 2), ['conv1_1', 'relu2_1', 'conv3_1'])),
  ]);
  const start = noise(45, 61, 3);
  const objective = createObjective(extractor, loss, [45, 61]);
  const { value, gradient } = objective.evaluate(start);
  const { x } = await minimize(objective, start, {
    method: lbfgs({ preconditioner: pyramidPreconditioner() }),
    bounds: [0, 1],
    maxEvaluations: 5,
  });
  extractor.dispose();
  return { value: value.dataSync()[0], gradient, image: x.dataSync<'float32'>() };
}

describe('our own kernels in a page', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('run on Web Workers where the page is cross-origin isolated, with the same result to the bit', async () => {
    expect(crossOriginIsolated).toBe(true);
    const [several, one] = [await work({ threads: 3 }), await work({ threads: 1 })];
    expect(several.value).toBe(one.value);
    expect(several.gradient.dataSync()).toEqual(one.gradient.dataSync());
    expect(several.image).toEqual(one.image);
  });

  it('run with relaxed SIMD, with the same result to rounding', async () => {
    const [strict, relaxed] = [await work({ threads: 1 }), await work({ threads: 2, relaxedSimd: true })];
    expect(Math.abs(relaxed.value / strict.value - 1)).toBeLessThan(1e-5);
    expectNear(relaxed.gradient, strict.gradient, 1e-3);
  });
});
