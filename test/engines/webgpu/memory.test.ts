import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import type { EngineExtractor } from '../../../src/engines/engine';
import { gpuOf } from '../../../src/engines/webgpu/device/gpu';
import { TfjsDevice } from '../../../src/engines/webgpu/device/tfjs-device';
import { createWebgpuExtractor } from '../../../src/engines/webgpu/webgpu-extractor';
import type { LayerName } from '../../../src/features/layer-name';
import {
  contentLoss,
  defineLoss,
  type Loss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
  within,
} from '../../../src/losses';
import { lossOfImage } from '../../../src/losses/image-target';
import { createObjective, type ObjectiveOptions } from '../../../src/objective';
import { minimize } from '../../../src/optim';
import { convolutionsBy } from '../../support/convolutions';
import { noise } from '../../support/images';
import '../../support/to-be-allclose';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import { smallNetwork } from './small-network';

const convolutions = convolutionsBy('taps');

type Size = readonly [height: number, width: number];

const style = (extractor: EngineExtractor, layers: readonly LayerName[], how = {}): Loss => {
  const image = noise(12, 15, 2);
  const features = extractor.extract(image, layers);
  const loss = styleLoss(features, how);
  tf.dispose([image, features] as tf.TensorContainer);
  return loss;
};

/** Terms of every kind that bands compute, of maps and of images, with masks and without, and a loss of tfjs. */
function bandedLoss(extractor: EngineExtractor, size: Size): Loss {
  const [height, width] = size;
  const content = noise(height, width, 1);
  const mask = tf.tidy(() =>
    tf.clipByValue<tf.Tensor2D>(tf.randomUniform([height, width], -0.3, 1, 'float32', 5), 0, 1),
  );
  const features = extractor.extract(content, ['relu1_2']);
  const loss = sum([
    contentLoss(features, { distance: 'l1' }),
    lossOfImage(extractor, content, { name: 'perceptual', layers: ['pool1'], distance: 'mse' }),
    weighted(30, style(extractor, ['conv1_1'])),
    weighted(20, within(mask, style(extractor, ['relu1_2'], { distance: 'relative' }))),
    weighted(5, totalVariationLoss()),
    weighted(
      7,
      defineLoss({
        name: 'own',
        layers: ['image'],
        compute: ({ image }) => tf.mean(tf.square(tf.sub(image as tf.Tensor4D, 0.5))),
      }),
    ),
  ]);
  tf.dispose([content, mask, features] as tf.TensorContainer);
  return loss;
}

async function evaluated(
  extractor: EngineExtractor,
  loss: Loss,
  size: Size,
  options: ObjectiveOptions = {},
  image = noise(size[0], size[1], 9),
) {
  const objective = createObjective(extractor, loss, size, options);
  const { terms, gradient } = objective.evaluate(image);
  objective.dispose();
  const values = await Promise.all(Object.values(terms).map(async (term) => (await term.data())[0]));
  const numbers = await gradient.data<'float32'>();
  tf.dispose([image, terms, gradient]);
  return { values, gradient: numbers };
}

type Found = Awaited<ReturnType<typeof evaluated>>;

function expectSame(found: Found, expected: Found): void {
  expect(found.values).toBeAllclose(expected.values, { rtol: 1e-5 });
  const error = Math.hypot(...found.gradient.map((g, i) => g - expected.gradient[i]));
  expect(error / Math.hypot(...expected.gradient)).toBeLessThan(1e-5);
}

/** Kernels of bands are compiled before the first evaluation, which is told from none of them to all. */
async function expectPrepared(extractor: EngineExtractor, loss: Loss, size: Size): Promise<void> {
  const events: (readonly [done: number, total: number])[] = [];
  const onPreparing = (done: number, total: number) => void events.push([done, total]);
  const objective = createObjective(extractor, loss, size, { onPreparing });
  const { device } = new TfjsDevice();
  const later = vi.spyOn(device, 'createComputePipeline');
  const problem = await objective.problem?.();
  const [[, total]] = events;
  expect(events).toEqual(Array.from({ length: total + 1 }, (_, done) => [done, total]));
  const image = noise(size[0], size[1], 9);
  const x = await problem?.toVector(image);
  const before = later.mock.calls.length;
  await problem?.evaluate(x);
  // Those of tfjs, which computes a part of the loss, begin elsewhere.
  const own = later.mock.calls.slice(before).filter(([{ compute }]) => compute.entryPoint === 'main');
  expect(own).toEqual([]);
  later.mockRestore();
  problem?.space.close();
  objective.dispose();
  image.dispose();
}

/** Counts the buffers that the engine has made and not destroyed. */
function countBuffers() {
  const gpu = gpuOf(new TfjsDevice().device);
  const live = new Set<GPUBuffer>();
  const make = gpu.buffer;
  gpu.buffer = (...args) => {
    const buffer = make.apply(gpu, args);
    live.add(buffer);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      live.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  return {
    get live() {
      return live.size;
    },
    end: () => {
      gpu.buffer = make;
    },
  };
}

describe.skipIf(!hasWebgpu)('memory of the engine webgpu', { timeout: 600_000 }, () => {
  onWebgpu();
  // Two bands of it are alike: fewer kernels to compile.
  const size = [24, 9] as const;
  const request = {
    layers: ['image', 'conv1_1', 'relu1_2', 'pool1'] as const,
    size,
    featureTargets: ['relu1_2', 'pool1'] as const,
    style: { layers: ['conv1_1', 'relu1_2'] as const, size: [12, 15] as const },
  };
  /** A whole map of the first stages takes 6912 bytes. */
  const largest = 5000;

  it('bands give what the whole image gives, where buffers or the room are too small for that', async () => {
    const network = smallNetwork();
    const whole = createWebgpuExtractor(network, { convolutions });
    const small = createWebgpuExtractor(network, { convolutions, largest });
    expect(whole.plan?.(request).tiles).toBe(1);
    expect(small.plan?.(request).tiles).toBe(2);
    const high = { ...request, size: [400, 9] as const };
    const room = 0.8 * (whole.plan?.(high).bytes ?? 0);
    const limited = whole.plan?.({ ...high, room });
    expect(limited?.tiles).toBeGreaterThan(1);
    expect(limited?.bytes).toBeLessThan(room);
    const loss = bandedLoss(whole, size);
    await expectPrepared(small, loss, size);
    expectSame(await evaluated(small, loss, size), await evaluated(whole, loss, size));
    for (const one of [small, whole, loss]) one.dispose?.();
  });

  it('what does not fit is refused before any work, with a size that does', async () => {
    const network = smallNetwork();
    const extractor = createWebgpuExtractor(network, { convolutions, largest });
    const counted = countBuffers();
    const unused = counted.live;
    const loss = style(extractor, ['conv1_1', 'relu1_2']);
    const refusal = (room?: number, at: Size = size, of = loss) => {
      try {
        createObjective(extractor, of, at, { room }).dispose();
      } catch (error) {
        return error as Error;
      }
      throw new Error('not refused');
    };
    const before = counted.live;
    const small = refusal(8000);
    expect(small).toMatchObject({ code: 'OUT_OF_MEMORY', option: 'size' });
    expect(small.message).toMatch(
      /^An image of 9 x 24 pixels takes about 1 MiB of memory for the webgpu engine/,
    );
    const wide = refusal(undefined, [24, 1000]);
    expect(wide).toMatchObject({ code: 'OUT_OF_MEMORY', option: 'backend' });
    const wasserstein = style(extractor, ['conv1_1'], { statistic: 'wasserstein' });
    expect(refusal(undefined, size, wasserstein)).toMatchObject({ code: 'NOT_TILEABLE', value: 'style' });
    expect(() => extractor.plan?.({ ...request, tileable: false })).toThrow(
      expect.objectContaining({ code: 'NOT_TILEABLE' }),
    );
    expect(counted.live).toBe(before);
    const [, width, height] = /about (\d+) x (\d+) pixels/.exec(wide.message) ?? [];
    createObjective(extractor, loss, [Number(height), Number(width)]).dispose();
    for (const one of [extractor, loss, wasserstein]) one.dispose?.();
    expect(counted.live).toBe(unused);
    counted.end();
  });

  it('an objective of grey is that of the mean of the channels, in the vectors of the engine', async () => {
    const extractor = createWebgpuExtractor(smallNetwork(), { convolutions });
    const loss = sum([style(extractor, ['conv1_1']), totalVariationLoss()]);
    const greyOf = (image: tf.Tensor3D) =>
      tf.tidy(() => tf.tile(tf.mean<tf.Tensor3D>(image, 2, true), [1, 1, 3]));
    const image = noise(9, 8, 9);
    const found = await evaluated(extractor, loss, [9, 8], { grey: true });
    const expected = await evaluated(extractor, loss, [9, 8], {}, greyOf(image));
    expect(found.values).toBeAllclose(expected.values, { rtol: 1e-5 });
    const means = await greyOf(tf.tensor3d(expected.gradient, [9, 8, 3])).data();
    expect(found.gradient).toBeAllclose(means, { rtol: 1e-4, atol: 1e-7 });
    const objective = createObjective(extractor, loss, [9, 8], { grey: true });
    const problem = await objective.problem?.();
    expect(problem).toBeDefined();
    problem?.space.close();
    for (const one of [objective, extractor, loss]) one.dispose?.();
  });

  it('has back from tfjs what targets were computed in, and tfjs goes on', async () => {
    const extractor = createWebgpuExtractor(smallNetwork(), { convolutions });
    const image = noise(40, 30, 4);
    const numbers = async () => {
      const { conv2_1 } = extractor.extract(image, ['conv2_1']);
      const values = await (conv2_1 as tf.Tensor4D).data();
      conv2_1?.dispose();
      return values;
    };
    const kept = () => {
      const { numBytesAllocatedInGPU, numBytesInGPU } = tf.memory() as unknown as Record<string, number>;
      return numBytesAllocatedInGPU - numBytesInGPU;
    };
    const before = await numbers();
    expect(kept()).toBeGreaterThan(4 * 40 * 30 * 8);
    const loss = totalVariationLoss();
    const objective = createObjective(extractor, loss, [40, 30]);
    expect(kept()).toBe(0);
    expect(await numbers()).toEqual(before);
    image.dispose();
    for (const one of [objective, loss, extractor]) one.dispose?.();
  });

  it('is flat over evaluations, and free behind runs that are aborted or fail', async () => {
    const counted = countBuffers();
    const tensors = tf.memory().numTensors;
    const extractor = createWebgpuExtractor(smallNetwork(), { convolutions });
    let fails = false;
    const own = defineLoss({
      name: 'own',
      layers: ['image'],
      compute: ({ image }) => {
        if (fails) throw new Error('mine');
        return tf.mean(tf.square(image as tf.Tensor4D));
      },
    });
    const loss = sum([style(extractor, ['conv1_1']), own]);
    const objective = createObjective(extractor, loss, [6, 8]);
    const start = noise(6, 8, 3);
    const evaluate = () => tf.dispose({ ...objective.evaluate(start) } as tf.TensorContainer);
    evaluate();
    const used = () => ({ live: counted.live, tensors: tf.memory().numTensors, bytes: tf.memory().numBytes });
    const before = used();
    for (let k = 0; k < 100; k++) {
      evaluate();
      expect(used()).toEqual(before);
    }
    const aborted = new AbortController();
    const run = minimize(objective, start, {
      signal: aborted.signal,
      onStep: () => aborted.abort(new Error('enough')),
    });
    await run.then(
      ({ x }) => x.dispose(),
      (error) => expect(error.message).toBe('enough'),
    );
    expect(used()).toEqual(before);
    fails = true;
    await expect(minimize(objective, start)).rejects.toThrow('mine');
    expect(used()).toEqual(before);
    start.dispose();
    for (const one of [objective, loss, extractor]) one.dispose?.();
    expect(counted.live).toBe(0);
    expect(tf.memory().numTensors).toBe(tensors);
    counted.end();
  });
});
