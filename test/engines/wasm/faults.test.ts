import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineExtractor } from '../../../src/engines/engine';
import { Network } from '../../../src/engines/wasm/network/network';
import { KernelMemory } from '../../../src/engines/wasm/runtime/kernel-memory';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import { loadedVgg19 } from '../../../src/features/vgg19/network';
import type { Image } from '../../../src/image/image';
import {
  contentLoss,
  type Loss,
  pixelLoss,
  styleLoss,
  sum,
  totalVariationLoss,
  weighted,
} from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { lbfgs, minimize, pyramidPreconditioner } from '../../../src/optim';
import { noise } from '../../support/images';
import { randomWeights } from './random-weights';

const network = loadedVgg19(randomWeights('conv2_1'), {
  lastLayer: 'conv2_1',
  convention: 'torchvision',
  weightsName: 'random',
});
const layers = ['image', 'conv1_1', 'relu1_2', 'pool1', 'conv2_1'] as const;
const [height, width] = [9, 14];

/** Every memory that was made since the last test. */
const memories = new Set<KernelMemory>();
/** The call of an allocation or a kernel that fails, counted from the last {@link failAt}; none if infinite. */
let failing = Number.POSITIVE_INFINITY;
let calls = 0;

function failAt(call: number): void {
  failing = call;
  calls = 0;
}

function call(): void {
  calls++;
  if (calls === failing) throw new Error(`fault ${calls}`);
}

beforeAll(async () => {
  await tf.setBackend('cpu');
  const { allocate } = KernelMemory.prototype;
  const { run } = KernelRunner.prototype;
  vi.spyOn(KernelMemory.prototype, 'allocate').mockImplementation(function (this: KernelMemory, bytes) {
    memories.add(this);
    call();
    return allocate.call(this, bytes);
  });
  vi.spyOn(KernelRunner.prototype, 'run').mockImplementation(function (this: KernelRunner, ...args) {
    call();
    run.apply(this, args);
  });
});
afterEach(() => {
  failAt(Number.POSITIVE_INFINITY);
  memories.clear();
});

/** What is held: tensors, and bytes in all engines. */
const held = () => [tf.memory().numTensors, ...[...memories].map(({ bytes }) => bytes)];

/**
 * Runs `work` until it fails at no call any more, each time with the next call failing, and expects that every failure
 * leaves what was held before. What `work` returns is freed by it or by the test.
 */
async function failsEverywhere(work: () => unknown): Promise<void> {
  // What is made once and kept, as filters of the way back and scratch memory, is made in a first run.
  await work();
  const before = held();
  for (let n = 1; ; n++) {
    failAt(n);
    const failure = await Promise.resolve()
      .then(work)
      .then(
        () => undefined,
        (error: Error) => error,
      );
    const reached = calls;
    failAt(Number.POSITIVE_INFINITY);
    expect(held(), `after ${failure?.message ?? 'no fault'}`).toEqual(before);
    if (!failure) {
      expect(reached).toBeLessThan(n);
      expect(n).toBeGreaterThan(2);
      return;
    }
    expect(failure.message).toBe(`fault ${n}`);
  }
}

describe.each([1, 2])(
  'a fault of any allocation or kernel, on %d threads, leaves nothing behind',
  (threads) => {
    const load = () => createWasmExtractor({ ...network, threads });
    const freed = (tensors: object | undefined) => tf.dispose(tensors as tf.TensorContainer);

    it('in making a network', async () => {
      const runner = await KernelRunner.create({ threads });
      await failsEverywhere(() => new Network(runner, network.network, network.weights).dispose());
      runner.dispose();
    });

    it('in features, Gram matrices and the way back', async () => {
      const extractor = await load();
      const image = noise(height, width);
      await failsEverywhere(() => freed(extractor.extract(image, layers)));
      await failsEverywhere(() => extractor.extractEach?.(image, layers, () => {}));
      await failsEverywhere(() => freed(extractor.gramMatrices?.(image, layers.slice(1))));
      await failsEverywhere(() => {
        const linearization = extractor.linearize(image, layers);
        try {
          linearization.pullback(linearization.features).dispose();
        } finally {
          linearization.dispose();
        }
      });
      extractor.dispose();
    });

    it('in objectives of every kind of loss, and in runs over them', async () => {
      const extractor = await load();
      const loss = everyLoss(extractor);
      const size = [height, width] as const;
      await failsEverywhere(() => createObjective(extractor, loss, size).dispose());
      const objective = createObjective(extractor, loss, size);
      const image = noise(height, width, 7);
      await failsEverywhere(() => tf.dispose(objective.evaluate(image) as unknown as tf.TensorContainer));
      await failsEverywhere(async () => {
        const { x } = await minimize(objective, image, {
          method: lbfgs({ preconditioner: pyramidPreconditioner() }),
          bounds: [0, 1],
          maxEvaluations: 3,
        });
        x.dispose();
      });
      extractor.dispose();
    });
  },
);

/** A loss with every kind of term, and one that goes through tfjs. */
function everyLoss(extractor: EngineExtractor): Loss {
  const custom: Loss = {
    name: 'custom',
    layers: ['pool1'],
    compute: ({ pool1 }) => tf.mean(tf.square(pool1 as tf.Tensor4D)) as tf.Scalar,
  };
  return sum([
    contentLoss(extractor.extract(noise(height, width, 2), ['conv2_1'])),
    weighted(100, styleLoss(extractor.extract(noise(12, 8, 3), ['conv1_1', 'relu1_2']))),
    pixelLoss(noise(height, width, 4)),
    totalVariationLoss(),
    custom,
  ]);
}

describe('shapes are checked where tensors enter the engine', () => {
  const wrongShape = (option: string, value: readonly number[], accepted: string) =>
    expect.objectContaining({
      code: 'WRONG_SHAPE',
      option,
      value,
      accepted: `a float32 tensor [${accepted}]`,
    });

  it('refuses losses with targets of another size or network, and leaves other objectives alone', async () => {
    const extractor = await createWasmExtractor({ ...network, threads: 1 });
    const image = noise(height, width, 7);
    const other = createObjective(extractor, everyLoss(extractor), [height, width]);
    const before = other.evaluate(image).gradient.dataSync();
    const larger = noise(40, 30, 5);
    const refused = (loss: Loss) => () => createObjective(extractor, loss, [height, width]);
    expect(refused(contentLoss(extractor.extract(larger, ['conv2_1'])))).toThrow(
      wrongShape('conv2_1', [1, 20, 15, 128], '1,4,7,128'),
    );
    expect(refused(contentLoss(extractor.extract(larger, ['pool1'])))).toThrow(
      wrongShape('pool1', [1, 20, 15, 64], '1,4,7,64'),
    );
    expect(refused(pixelLoss(larger))).toThrow(wrongShape('image', [1, 40, 30, 3], `1,${height},${width},3`));
    const narrow = { conv1_2: tf.ones([1, 4, 4, 32]) as tf.Tensor4D };
    expect(refused(styleLoss(narrow))).toThrow(wrongShape('conv1_2', [32, 32], '64,64'));
    const first = { conv1_1: tf.ones([1, 4, 4, 128]) as tf.Tensor4D };
    expect(refused(styleLoss(first))).toThrow(wrongShape('conv1_1', [128, 128], '64,64'));
    expect(other.evaluate(image).gradient.dataSync()).toEqual(before);
    extractor.dispose();
  });

  it('refuses images, cotangents, starts and bounds of another size', async () => {
    const extractor = await createWasmExtractor({ ...network, threads: 1 });
    const image = noise(height, width, 7);
    const wrong = noise(width, height, 7);
    const own = `${height},${width},3`;
    const objective = createObjective(extractor, pixelLoss(image), [height, width]);
    expect(() => objective.evaluate(wrong)).toThrow(wrongShape('image', [width, height, 3], own));
    const { pullback } = extractor.linearize(image, ['conv1_2']);
    expect(() => pullback({ conv1_2: tf.ones([1, 20, 20, 64]) })).toThrow(
      wrongShape('conv1_2', [1, 20, 20, 64], `1,${height},${width},64`),
    );
    expect(() => pullback({ conv1_2: tf.ones([1, height, width, 64], 'int32') })).toThrow(
      /The cotangent of conv1_2 is a int32 tensor \[1,9,14,64\]; accepted: a float32 tensor \[1,9,14,64\]/,
    );
    expect(() => pullback({ conv1_1: tf.ones([1, height, width, 64]) })).toThrow(/cotangents is 'conv1_1'/);
    await expect(minimize(objective, wrong)).rejects.toThrow(wrongShape('start', [width, height, 3], own));
    const problem = await objective.problem?.();
    await expect(problem?.toVector(wrong)).rejects.toThrow(wrongShape('start', [width, height, 3], own));
    extractor.dispose();
  });
});

describe('after dispose()', () => {
  const disposed = (what: string) => expect.objectContaining({ code: 'DISPOSED', value: what });

  it.each([1, 2])('an extractor on %d threads, and what came from it, refuses at once', async (threads) => {
    const extractor = await createWasmExtractor({ ...network, threads });
    const image = noise(height, width);
    const loss = everyLoss(extractor);
    const objective = createObjective(extractor, loss, [height, width]);
    const linearization = extractor.linearize(image, ['conv1_2']);
    const cotangents = { conv1_2: tf.onesLike(linearization.features.conv1_2 as tf.Tensor4D) };
    const tensors = tf.memory().numTensors;
    extractor.dispose();
    extractor.dispose();
    const gone = disposed('The extractor');
    expect(() => extractor.extract(image, ['conv1_2'])).toThrow(gone);
    expect(() => extractor.extract(image, ['image'])).toThrow(gone);
    expect(() => extractor.extractEach?.(image, ['conv1_2'], () => {})).toThrow(gone);
    expect(() => extractor.gramMatrices?.(image, ['conv1_2'])).toThrow(gone);
    expect(() => extractor.linearize(image, ['conv1_2'])).toThrow(gone);
    expect(() => createObjective(extractor, loss, [height, width])).toThrow(gone);
    expect(() => extractor.plan?.({ layers: ['conv1_2'], size: [8, 8] })).toThrow(gone);
    expect(() => linearization.pullback(cotangents)).toThrow(gone);
    expect(() => objective.evaluate(image)).toThrow(gone);
    await expect(minimize(objective, image)).rejects.toThrow(gone);
    // What they hold can still be freed.
    objective.dispose();
    linearization.dispose();
    expect(tf.memory().numTensors).toBe(tensors - 1);
  });

  it('a run in flight ends within one evaluation', async () => {
    const extractor = await createWasmExtractor({ ...network, threads: 2 });
    const objective = createObjective(extractor, everyLoss(extractor), [height, width]);
    let evaluations = 0;
    const before = tf.memory().numTensors;
    const image = noise(height, width, 7);
    const run = minimize(objective, image, {
      onStep: (step) => {
        evaluations = step.evaluations;
        extractor.dispose();
      },
    });
    await expect(run).rejects.toThrow(disposed('The extractor'));
    expect(evaluations).toBe(1);
    image.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('an extractor whose engine of vectors is starting ends that too', async () => {
    const extractor = await createWasmExtractor({ ...network, threads: 2 });
    const objective = createObjective(extractor, pixelLoss(noise(height, width)), [height, width]);
    const run = minimize(objective, noise(height, width, 2) as Image);
    extractor.dispose();
    await expect(run).rejects.toThrow(disposed('The extractor'));
  });

  it('objectives and linearizations refuse, and free their memory once', async () => {
    const extractor = await createWasmExtractor({ ...network, threads: 1 });
    const image = noise(height, width);
    const [memory] = memories;
    const objective = createObjective(extractor, pixelLoss(image), [height, width]);
    const linearization = extractor.linearize(image, ['conv1_2']);
    linearization.pullback({}).dispose();
    objective.dispose();
    linearization.dispose();
    const bytes = memory.bytes;
    // Memory of the same size for another: freeing once more must not free that.
    const another = extractor.linearize(image, ['conv1_2']);
    const inUse = memory.bytes;
    objective.dispose();
    linearization.dispose();
    expect(memory.bytes).toBe(inUse);
    another.dispose();
    expect(memory.bytes).toBe(bytes);
    expect(() => objective.evaluate(image)).toThrow(disposed('The objective'));
    expect(() => linearization.pullback({})).toThrow(disposed('The linearization'));
    await expect(minimize(objective, image)).rejects.toThrow(disposed('The objective'));
    extractor.dispose();
  });
});
