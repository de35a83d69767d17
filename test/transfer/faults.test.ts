import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EngineExtractor, loadVgg19 } from '../../src/engines';
import { KernelMemory } from '../../src/engines/wasm/runtime/kernel-memory';
import { KernelRunner } from '../../src/engines/wasm/runtime/kernel-runner';
import type { FeatureExtractor } from '../../src/features/extractor';
import type { WeightSource } from '../../src/features/vgg19/source';
import { contentLoss, type Loss } from '../../src/losses';
import { tinyExtractor } from '../../src/testing';
import type { StyleTransferOptions } from '../../src/transfer/options';
import { presetLoss } from '../../src/transfer/preset-loss';
import { getPreset } from '../../src/transfer/presets';
import type { StyleTransferProgress } from '../../src/transfer/progress';
import { styleTransfer } from '../../src/transfer/style-transfer';
import { noise } from '../support/images';
import '../support/backends';
import { randomWeights } from '../engines/wasm/random-weights';

/*
 * Whatever fails, at whichever call: the run ends with that error, no tensor and no byte of the engine's memory stays
 * behind, and no rejection is left unhandled.
 */

const unhandled: unknown[] = [];
const hear = (reason: unknown) => void unhandled.push(reason);
const heap = new Map<KernelMemory, Map<number, number>>();
const heapBytes = () => [...heap.values()].flatMap((used) => [...used.values()]).reduce((a, b) => a + b, 0);

let extractors: Record<'tfjs' | 'wasm', EngineExtractor>;
let content: tf.Tensor3D;
let style: tf.Tensor3D;

beforeAll(async () => {
  process.on('unhandledRejection', hear);
  const { allocate, release } = KernelMemory.prototype;
  vi.spyOn(KernelMemory.prototype, 'allocate').mockImplementation(function (this: KernelMemory, bytes) {
    const address = allocate.call(this, bytes);
    if (!heap.has(this)) heap.set(this, new Map());
    heap.get(this)?.set(address, bytes);
    return address;
  });
  vi.spyOn(KernelMemory.prototype, 'release').mockImplementation(function (this: KernelMemory, address) {
    heap.get(this)?.delete(address);
    release.call(this, address);
  });
  const { dispose } = KernelRunner.prototype;
  vi.spyOn(KernelRunner.prototype, 'dispose').mockImplementation(function (this: KernelRunner) {
    heap.delete(this.memory);
    dispose.call(this);
  });
  await tf.setBackend('cpu');
  [content, style] = [noise(16, 20, 1), noise(18, 16, 2)];
  extractors = {
    tfjs: tinyExtractor(),
    wasm: await loadVgg19({ weights: 'embedded', engine: 'wasm', threads: 1 }),
  };
  // The first run starts what the engine keeps for later ones: memory of the optimiser's vectors.
  (await styleTransfer(content, style, { extractor: extractors.wasm, iterations: 1 })).dispose();
});
afterEach(() => {
  expect(unhandled.splice(0)).toEqual([]);
});
afterAll(() => {
  process.off('unhandledRejection', hear);
  for (const extractor of Object.values(extractors)) extractor.dispose();
});

/** Runs, and expects that the run ends with `error` and leaves nothing behind. */
async function expectToEndWith(error: unknown, options: StyleTransferOptions): Promise<void> {
  const [tensors, bytes] = [tf.memory().numTensors, heapBytes()];
  await expect(styleTransfer(content, style, { iterations: 4, init: 'noise', ...options })).rejects.toBe(
    error,
  );
  await new Promise((resolve) => setTimeout(resolve));
  expect(tf.memory().numTensors).toBe(tensors);
  expect(heapBytes()).toBe(bytes);
  expect(unhandled).toEqual([]);
}

/** The same thing, whose `n`-th call of a method throws. */
function failing<T extends object>(thing: T, method: keyof T & string, n: number, error: unknown): T {
  let calls = 0;
  return {
    ...thing,
    [method]: (...args: unknown[]) => {
      if (++calls === n) throw error;
      return (thing[method] as (...args: unknown[]) => unknown)(...args);
    },
  };
}

/** A loss that engines do not know as data. */
const custom = (extractor: FeatureExtractor): Loss => {
  const features = extractor.extract(content, ['conv2_2']);
  const { compute, dispose } = contentLoss(features);
  tf.dispose(features as tf.TensorContainer);
  return { name: 'custom', layers: ['conv2_2'], compute, dispose };
};

describe.each(['tfjs', 'wasm'] as const)('a fault, %s computing', (engine) => {
  const fault = new Error('fault');

  it.each([1, 2])('of the extractor, making targets, at call %d', async (n) => {
    const whole = extractors[engine];
    const inOneGo: EngineExtractor = { ...whole, gramMatricesInTurns: undefined };
    const slow: EngineExtractor = { ...inOneGo, gramMatrices: undefined };
    const slowest: EngineExtractor = { ...slow, extractEach: undefined };
    await expectToEndWith(fault, { extractor: failing(slowest, 'extract', n, fault) });
    if (n > 1 || engine === 'tfjs') return;
    await expectToEndWith(fault, { extractor: failing(whole, 'gramMatricesInTurns', n, fault) });
    await expectToEndWith(fault, { extractor: failing(inOneGo, 'gramMatrices', n, fault) });
    await expectToEndWith(fault, { extractor: failing(slow, 'extractEach', n, fault) });
  });

  it.each([1, 3, 5])('of the extractor between layers, at layer %d', async (n) => {
    const inner = extractors[engine];
    const extractor: EngineExtractor = {
      ...inner,
      gramMatrices: undefined,
      gramMatricesInTurns: undefined,
      extractEach(image, layers, take) {
        let count = 0;
        const features = inner.extract(image, layers);
        try {
          for (const layer of layers) {
            if (++count === n) throw fault;
            take(layer, features[layer] as tf.Tensor4D);
          }
        } finally {
          tf.dispose(features as tf.TensorContainer);
        }
      },
    };
    await expectToEndWith(fault, { extractor });
    const tensors = tf.memory().numTensors;
    expect(() => presetLoss(getPreset('li2021'), { extractor, content, style })).toThrow(fault);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it.each([1, 2, 4])('of linearize or of the way back, at evaluation %d', async (n) => {
    // Without the engine's own objective.
    const inner: EngineExtractor = { ...extractors[engine], objective: undefined };
    const loss = () => custom(inner);
    await expectToEndWith(fault, { extractor: failing(inner, 'linearize', n, fault), loss });
    let calls = 0;
    const extractor: FeatureExtractor = {
      ...inner,
      linearize(image, layers) {
        const linearization = inner.linearize(image, layers);
        return ++calls === n ? failing(linearization, 'pullback', 1, fault) : linearization;
      },
    };
    await expectToEndWith(fault, { extractor, loss });
  });

  it.each([1, 2, 4])('of a loss, at evaluation %d', async (n) => {
    const extractor = extractors[engine];
    await expectToEndWith(fault, {
      extractor,
      loss: () => failing(custom(extractor), 'compute', n, fault),
    });
    const mine = custom(extractor);
    await expectToEndWith(fault, { extractor, loss: failing(mine, 'compute', n, fault) });
    mine.dispose?.();
  });

  it.each([1, 2])('of a loss, when it is disposed, run %d', async () => {
    const extractor = extractors[engine];
    const loss = (): Loss => {
      const made = custom(extractor);
      const dispose = () => {
        made.dispose?.();
        throw fault;
      };
      return { ...made, dispose };
    };
    await expectToEndWith(fault, { extractor, loss });
  });

  it('of a function that makes a loss, after it has extracted', async () => {
    const loss: StyleTransferOptions['loss'] = ({ extractor, content: at }) => {
      extractor.extract(at, ['conv1_1']);
      extractor.linearize(at, ['conv1_1', 'conv2_2']);
      throw fault;
    };
    await expectToEndWith(fault, { extractor: extractors[engine], loss });
    await expectToEndWith(fault, { extractor: extractors[engine], loss: async () => Promise.reject(fault) });
  });

  it.each([1, 2, 4])('of onProgress, at event %d', async (n) => {
    for (const fail of [
      () => {
        throw fault;
      },
      () => Promise.reject(fault),
    ]) {
      let events = 0;
      const onProgress = () => (++events === n ? fail() : undefined);
      await expectToEndWith(fault, { extractor: extractors[engine], onProgress });
      expect(events).toBe(n + 1); // and the interruption
    }
  });
});

describe('a fault of onProgress', () => {
  const fault = new Error('fault');
  const loaded = randomWeights('conv3_1');
  /** Weights that are read in steps, with news of each, and warnings. */
  const weights: WeightSource = {
    name: 'weights in steps',
    convention: 'torchvision',
    async read(_, { onProgress, onWarning, signal } = {}) {
      for (const name of ['a', 'b', 'c']) {
        onProgress?.({ type: 'weights', name, loadedBytes: 1, totalBytes: 3, secondsLeft: 1 });
        onWarning?.({ code: 'CACHE_WRITE_FAILED', message: name });
        await new Promise((resolve) => setTimeout(resolve));
        signal?.throwIfAborted();
      }
      return loaded;
    },
  };
  it('hears of the same warning once', async () => {
    const source: WeightSource = {
      ...weights,
      async read(_, { onWarning } = {}) {
        for (const message of ['a', 'b', 'a']) onWarning?.({ code: 'CACHE_WRITE_FAILED', message });
        return loaded;
      },
    };
    const seen: string[] = [];
    const onProgress = (event: StyleTransferProgress) => {
      if (event.type === 'warning') seen.push(event.message);
    };
    const options = { weights: source, engine: 'wasm', threads: 1, iterations: 1, onProgress } as const;
    (await styleTransfer(content, style, options)).dispose();
    expect(seen).toEqual(['a', 'b']);
  });

  const kinds = ['weights', 'warning', 'start', 'step', 'interrupted'] as const;

  it.each(kinds)('ends the run, at an event %s, thrown or rejected', async (kind) => {
    for (const fail of [
      () => {
        throw fault;
      },
      () => new Promise<void>((_, reject) => setTimeout(() => reject(fault), 5)),
    ]) {
      const controller = new AbortController();
      const seen: string[] = [];
      const onProgress = ({ type }: StyleTransferProgress) => {
        seen.push(type);
        if (kind === 'interrupted' && type === 'step') controller.abort(new Error('enough'));
        return type === kind ? fail() : undefined;
      };
      const options = { weights, engine: 'wasm', threads: 1, iterations: 2 } as const;
      await expectToEndWith(fault, { ...options, onProgress, signal: controller.signal });
      expect(seen.filter((type) => type === kind)).toHaveLength(1);
    }
  });

  it('is told of every event in order, one at a time, however slow it is', async () => {
    const seen: string[] = [];
    let busy = false;
    const onProgress = async (event: StyleTransferProgress) => {
      expect(busy).toBe(false);
      busy = true;
      seen.push(
        event.type === 'weights' ? event.name : event.type === 'warning' ? event.message : event.type,
      );
      await new Promise((resolve) => setTimeout(resolve, 3));
      busy = false;
    };
    const options = { weights, engine: 'wasm', threads: 1, iterations: 1, onProgress } as const;
    (await styleTransfer(content, style, options)).dispose();
    expect(seen).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'start', 'step', 'step']);
  });
});

it('20 runs whose loss cannot be disposed leave no tensor, no memory and no engine', async () => {
  const fault = new Error('dispose');
  const loss = (): Loss => ({
    name: 'bad',
    layers: ['conv1_1'],
    compute: ({ conv1_1 }) => tf.mean(conv1_1 as tf.Tensor4D) as tf.Scalar,
    dispose() {
      throw fault;
    },
  });
  for (let i = 0; i < 20; i++)
    await expectToEndWith(fault, { weights: 'embedded', engine: 'wasm', threads: 1, iterations: 1, loss });
});

it.each(['tfjs', 'wasm'] as const)(
  'an extractor (%s) that is disposed in the middle of a run ends it within one evaluation',
  async (engine) => {
    const extractor = engine === 'tfjs' ? tinyExtractor() : await loadVgg19({ weights: 'embedded', engine });
    const tensors = tf.memory().numTensors;
    let steps = 0;
    const run = styleTransfer(content, style, {
      extractor,
      onProgress: ({ type }) => {
        if (type === 'step' && ++steps === 3) extractor.dispose();
      },
    });
    await expect(run).rejects.toMatchObject({ name: 'ComputationError', code: 'DISPOSED' });
    expect(steps).toBe(3);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(tensors);
    await expect(styleTransfer(content, style, { extractor })).rejects.toMatchObject({ code: 'DISPOSED' });
  },
);
