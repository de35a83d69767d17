import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FusedObjective, fusedObjective } from '../../../src/engines/wasm/losses/fused-objective';
import { Network } from '../../../src/engines/wasm/network/network';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';
import { wasmProblem } from '../../../src/engines/wasm/vectors/wasm-problem';
import { wasmSpace } from '../../../src/engines/wasm/vectors/wasm-space';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import { loadedVgg19 } from '../../../src/features/vgg19/network';
import type { Image } from '../../../src/image/image';
import { contentLoss, type Loss, pixelLoss, sum, weighted } from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import {
  adam,
  historyBytes,
  lbfgs,
  type MinimizeOptions,
  minimize,
  pyramidPreconditioner,
} from '../../../src/optim';
import { expectNoLeak } from '../../../src/testing';
import { expectNear } from '../../support/expect-near';
import { noise } from '../../support/images';
import { randomWeights } from './random-weights';

const [height, width] = [27, 38];

/** Content at conv1_2 and, through tfjs, a loss that the engine does not know. */
function lossTowards(target: tf.Tensor4D): Loss {
  const custom: Loss = {
    name: 'custom',
    layers: ['image'],
    compute: ({ image }) => tf.mean(tf.square(tf.sub(image as tf.Tensor4D, 0.5))) as tf.Scalar,
  };
  return sum([weighted(10, contentLoss({ conv1_2: target })), custom]);
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('a run beside the engine', () => {
  const settings = loadedVgg19(randomWeights('conv1_2'), {
    lastLayer: 'conv1_2',
    convention: 'caffe',
    weightsName: 'random',
  });

  it.each<[string, () => MinimizeOptions<Image>]>([
    ['L-BFGS', () => ({})],
    [
      'the default of styleTransfer',
      () => ({ method: lbfgs({ preconditioner: pyramidPreconditioner() }), bounds: [0, 1] }),
    ],
    [
      'bounds of tensors and a preconditioner of the caller’s',
      () => ({
        method: lbfgs<Image>({ preconditioner: { apply: (image) => tf.mul(image, 1.5) }, memory: 3 }),
        bounds: [tf.fill([height, width, 3], 0.2) as Image, 0.8],
      }),
    ],
    ['Adam', () => ({ method: adam({ learningRate: 0.05 }), bounds: [0.15, Infinity] })],
  ])('comes to what a run over tensors comes to: %s', async (_, options) => {
    const extractor = await createWasmExtractor(settings);
    const target = extractor.extract(noise(height, width, 2), ['conv1_2']);
    const loss = lossTowards(target.conv1_2 as tf.Tensor4D);
    const objective = createObjective(extractor, loss, [height, width]);
    const values: number[][] = [];
    const run = (minimized: Parameters<typeof minimize<Image>>[0]) => {
      const seen: number[] = [];
      values.push(seen);
      return minimize(minimized, noise(height, width), {
        ...options(),
        maxEvaluations: 8,
        onStep: ({ value }) => void seen.push(value),
      });
    };
    expect(objective.problem).toBeTypeOf('function');
    const [beside, tensors] = [await run(objective), await run({ ...objective })];
    expect(beside.evaluations).toBe(8);
    expect(values[0]).toHaveLength(values[1].length);
    for (const [i, value] of values[1].entries())
      expect(Math.abs(values[0][i] / value - 1)).toBeLessThan(1e-4);
    expectNear(beside.x, tensors.x, 1e-3);
    expect(Object.keys(beside.terms)).toEqual(['content', 'custom']);
    objective.dispose();
    extractor.dispose();
  });

  it('is the same to the bit on one thread and on several', async () => {
    const found: Float32Array[] = [];
    for (const threads of [1, 3]) {
      const extractor = await createWasmExtractor({ ...settings, threads });
      const loss = pixelLoss(noise(131, 140, 2));
      const objective = createObjective(extractor, loss, [131, 140]);
      const { x } = await minimize(objective, noise(131, 140), {
        method: lbfgs({ preconditioner: pyramidPreconditioner() }),
        bounds: [0, 1],
        maxEvaluations: 5,
      });
      found.push(await x.data<'float32'>());
      objective.dispose();
      extractor.dispose();
    }
    expect(Buffer.compare(new Uint8Array(found[0].buffer), new Uint8Array(found[1].buffer))).toBe(0);
  });

  it('can go on at the same time as another one', async () => {
    const extractor = await createWasmExtractor(settings);
    const runs = [2, 3].map((seed) => {
      const objective = createObjective(extractor, pixelLoss(noise(height, width, seed)), [height, width]);
      return () => minimize(objective, noise(height, width), { maxEvaluations: 6 });
    });
    const alone = [await runs[0](), await runs[1]()];
    const together = await Promise.all(runs.map((run) => run()));
    for (const i of [0, 1]) expect(await together[i].x.array()).toEqual(await alone[i].x.array());
    extractor.dispose();
  });
});

describe('the memory beside the engine', () => {
  let engine: KernelRunner;
  let vectors: KernelRunner;
  let objective: FusedObjective;
  let evaluations: number;
  const open = async () => {
    const problem = wasmProblem(vectors, objective, [height, width]);
    const { evaluate } = problem;
    return {
      ...problem,
      evaluate: (x: Parameters<typeof evaluate>[0]) => {
        evaluations++;
        return evaluate(x);
      },
    };
  };
  const over = { evaluate: () => expect.unreachable(), problem: open };
  let start: Image;

  beforeEach(async () => {
    engine = await KernelRunner.create({ threads: 1 });
    vectors = await KernelRunner.create({ threads: 1 });
    const loaded = loadedVgg19(randomWeights('conv1_1'), {
      lastLayer: 'conv1_1',
      convention: 'caffe',
      weightsName: 'random',
    });
    const network = new Network(engine, loaded.network, loaded.weights);
    objective = fusedObjective(network, pixelLoss(noise(height, width, 2)), [height, width]);
    evaluations = 0;
    start = noise(height, width);
  });
  afterEach(() => {
    engine.dispose();
    vectors.dispose();
    start.dispose();
  });
  const method = lbfgs({ preconditioner: pyramidPreconditioner(), memory: 3 });

  it('is free again however a run ends, and holds no tensors', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const endings: [MinimizeOptions<Image>, RegExp | undefined][] = [
      [{}, undefined],
      [{ signal: controller.signal, onStep: () => controller.abort(reason) }, /enough/],
      [
        {
          onStep: ({ x }) => {
            throw new Error(`rank ${x.rank}`);
          },
        },
        /rank 3/,
      ],
      [{ method: lbfgs<Image>({ preconditioner: { apply: () => tf.scalar(1) as never } }) }, /returned \[\]/],
    ];
    // The first run has scratch memory made.
    (await minimize(over, start, { method, maxEvaluations: 2 })).x.dispose();
    const bytes = vectors.memory.bytes;
    for (const [options, failure] of endings) {
      const before = tf.memory().numTensors;
      const run = minimize(over, start, { method, bounds: [0, 1], maxEvaluations: 5, ...options });
      if (failure) await expect(run).rejects.toThrow(failure);
      else (await run).x.dispose();
      expect(tf.memory().numTensors).toBe(before);
      expect(vectors.memory.bytes).toBe(bytes);
    }
  });

  it('grows no further once the history is full', async () => {
    const heaps: number[] = [];
    const result = await expectNoLeak(() =>
      minimize(over, start, {
        method,
        bounds: [0, 1],
        maxEvaluations: 40,
        tolerance: { gradient: 0, decrease: 0 },
        onStep: () => void heaps.push(vectors.memory.memory.buffer.byteLength),
      }),
    );
    result.x.dispose();
    expect(heaps.length).toBeGreaterThan(8);
    expect(heaps.at(-1)).toBe(heaps[4]);
  });

  it('holds no more vectors than methods say', async () => {
    for (const [told, memory] of [
      [method, 3],
      [lbfgs({ preconditioner: pyramidPreconditioner(), memory: 3, precision: 'float32' }), 3],
      [adam(), 0],
    ] as const) {
      let most = 0;
      const { memory: heap } = vectors;
      const before = heap.bytes;
      const allocate = heap.allocate.bind(heap);
      heap.allocate = (bytes) => {
        const address = allocate(bytes);
        most = Math.max(most, heap.bytes - before);
        return address;
      };
      const { x } = await minimize(over, start, {
        method: told,
        bounds: [0, 1],
        maxEvaluations: 12 + memory,
        tolerance: { gradient: 0, decrease: 0 },
      });
      x.dispose();
      const vector = 4 * height * width * 3;
      const history = historyBytes(told.history?.(true) ?? { pairs: 0, bits: 32 }, vector / 4);
      // The pyramid takes a third of a vector, and at this size alignment and tables a part of another.
      expect(most).toBeLessThan(((told.vectors ?? 0) + 1) * vector + history);
      expect(most).toBeGreaterThan(((told.vectors ?? 0) - 3) * vector + history);
    }
  });

  it('is asked for before the first evaluation, and refused with an estimate', async () => {
    Object.defineProperty(vectors.memory, 'most', { value: 14 * 4 * height * width * 3 });
    await expect(minimize(over, start, { method: lbfgs({ memory: 5 }) })).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining(
        `Minimising an image of ${width} x ${height} pixels with 12 vectors of its size and 5 pairs takes about 0.0 GiB`,
      ),
    });
    expect(evaluations).toBe(0);
    (await minimize(over, start, { method: lbfgs({ memory: 1 }), maxEvaluations: 1 })).x.dispose();
    expect(evaluations).toBe(1);
  });

  it('takes no image of another size', async () => {
    await expect(minimize(over, noise(5, 5))).rejects.toMatchObject({ code: 'WRONG_SHAPE' });
    expect(vectors.memory.bytes).toBe(128);
  });

  it('makes a tensor of the lowest point of an interrupted run where it is read, and frees it', async () => {
    for (const look of [false, true]) {
      const before = tf.memory().numTensors;
      let lowest: Image | undefined;
      const run = minimize(over, start, {
        method,
        bounds: [0, 1],
        onStep: ({ iteration }) => {
          if (iteration === 3) throw new Error('enough');
        },
        onInterrupted: (best) => {
          expect(tf.memory().numTensors).toBe(before);
          if (look) lowest = best.x;
          expect(tf.memory().numTensors).toBe(before + (look ? 1 : 0));
        },
      });
      await expect(run).rejects.toThrow('enough');
      expect(lowest?.isDisposed).toBe(look ? true : undefined);
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  it('makes a tensor of each step’s point where it is read, and frees it', async () => {
    const seen: Image[] = [];
    const { x } = await minimize(over, start, {
      method,
      maxEvaluations: 3,
      onStep: (step) => {
        // Of more than one read one may be in a scope of the caller's.
        const sum = tf.tidy(() => tf.sum(step.x).dataSync()[0]);
        expect(tf.tidy(() => tf.sum(step.x).dataSync()[0])).toBe(sum);
        seen.push(step.x);
      },
    });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.every((image) => image.isDisposed)).toBe(true);
    expect(x.shape).toEqual([height, width, 3]);
    x.dispose();
  });
});

describe('the pyramid in the engine’s memory', () => {
  let engine: KernelRunner;
  beforeAll(async () => {
    engine = await KernelRunner.create({ threads: 2 });
  });
  afterAll(() => engine.dispose());

  it('is the same operator as over tensors, at any size', () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 230 }));
    fc.assert(
      fc.property(
        sizes,
        sizes,
        fc.nat(8),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (h, w, levels, exponent) => {
          const preconditioner = pyramidPreconditioner({ levels, exponent });
          const space = wasmSpace(engine, [h, w, 3]);
          tf.tidy(() => {
            const image = tf.randomNormal<tf.Rank.R3>([h, w, 3], 0, 1, 'float32', h + w);
            const vector = space.vector(image.dataSync<'float32'>());
            const found = space.values(space.precondition(preconditioner, vector)).slice();
            expectNear(tf.tensor3d(found, [h, w, 3]), preconditioner.apply(image), 1e-6);
          });
          space.close();
        },
      ),
      { numRuns: 25 },
    );
  });
});
