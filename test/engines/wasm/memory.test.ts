import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MemoryRequest } from '../../../src/engines/engine';
import { fusedObjective } from '../../../src/engines/wasm/losses/fused-objective';
import { gramMatrices, gramRows } from '../../../src/engines/wasm/losses/gram-matrices';
import { allBytes, chooseTiling, tilingBytes, wholeImage } from '../../../src/engines/wasm/losses/tiling';
import { Network } from '../../../src/engines/wasm/network/network';
import type { KernelMemory } from '../../../src/engines/wasm/runtime/kernel-memory';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';
import { finish } from '../../../src/engines/wasm/steps';
import { wasmProblem } from '../../../src/engines/wasm/vectors/wasm-problem';
import { createWasmExtractor } from '../../../src/engines/wasm/wasm-extractor';
import { layersUpTo, type Vgg19Layer } from '../../../src/features/vgg19/layers';
import { loadedVgg19 } from '../../../src/features/vgg19/network';
import { contentLoss, type Loss, styleLoss, sum } from '../../../src/losses';
import { lossOfTerms } from '../../../src/losses/loss-of-terms';
import { lbfgs, minimize, pyramidPreconditioner } from '../../../src/optim';
import { styleTransfer } from '../../../src/transfer/style-transfer';
import { randomWeights } from './random-weights';

const style = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'] as const;
/** The objective of {@link loss}. */
const request = {
  layers: style,
  firstFromImage: true,
  features: [{ layer: 'conv2_2', fromImage: false }],
  grams: style,
  cotangents: [],
  masks: [],
} as const;

/** Bytes of {@link loss}'s objective for an image in one piece. */
const wholeBytes = (net: Network, size: readonly [number, number]): number =>
  allBytes(tilingBytes(net, size, request, wholeImage(net, size, request)));

async function network(last: Vgg19Layer, threads = 2): Promise<Network> {
  const engine = await KernelRunner.create({ threads });
  const loaded = loadedVgg19(randomWeights(last), {
    lastLayer: last,
    convention: 'caffe',
    weightsName: 'random',
  });
  return new Network(engine, loaded.network, loaded.weights);
}

/** Content at conv2_2 and Gram style at the paper's five layers. */
function loss(size: number): Loss {
  const content = { conv2_2: tf.zeros([1, size >> 1, size >> 1, 128]) as tf.Tensor4D };
  return sum([contentLoss(content), grams()]);
}

/** Gram style at the paper's five layers. */
function grams(): Loss {
  const channels = { conv1_1: 64, conv1_2: 64, conv2_1: 128, conv2_2: 128, conv3_1: 256 };
  return styleLoss(
    Object.fromEntries(style.map((layer) => [layer, tf.zeros([1, 1, 1, channels[layer]]) as tf.Tensor4D])),
  );
}

/** Bytes in use at most, from now on. */
function watchPeak(memory: KernelMemory): () => number {
  let most = 0;
  const allocate = memory.allocate.bind(memory);
  memory.allocate = (bytes) => {
    const address = allocate(bytes);
    most = Math.max(most, memory.bytes);
    return address;
  };
  return () => most;
}

describe('memory of the engine', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it.each([
    [128, 46e6],
    [256, 95e6],
  ])('stays within its bounds at %d pixels, evaluation after evaluation', async (size, most) => {
    const net = await network('conv3_1');
    const { memory } = net.engine.memory;
    const objective = fusedObjective(net, loss(size), [size, size]);
    const image = tf.randomUniform([size, size, 3], 0, 1, 'float32', 1) as tf.Tensor3D;
    tf.dispose([...Object.values(objective.evaluate(image))] as tf.TensorContainer);
    const bytes = memory.buffer.byteLength;
    expect(bytes).toBeLessThanOrEqual(most);
    for (let i = 0; i < 2; i++)
      tf.dispose([...Object.values(objective.evaluate(image))] as tf.TensorContainer);
    expect(memory.buffer.byteLength).toBe(bytes);
    const inUse = net.engine.memory.bytes;
    objective.dispose();
    expect(net.engine.memory.bytes).toBeLessThan(inUse / 2);
    net.engine.dispose();
  });

  it('has room for larger images where smaller ones were', async () => {
    const net = await network('conv3_1');
    const { memory } = net.engine;
    const [small, large] = [128, 384];
    const objective = fusedObjective(net, loss(small), [small, small]);
    tf.dispose(Object.values(objective.evaluate(tf.zeros([small, small, 3]))) as tf.TensorContainer);
    objective.dispose();
    const { bytes, rows } = gramRows(net, [large, large], style, Infinity);
    finish(
      gramMatrices(net, new Float32Array(3 * large ** 2), [large, large], style, {
        normalization: 'elements',
        rows,
      }),
    );
    expect(memory.memory.buffer.byteLength).toBeLessThan(memory.bytes + bytes + 2 ** 21);
    net.engine.dispose();
  });

  it('does not grow over 300 evaluations of a run, and neither does that of the optimiser or tfjs', async () => {
    const net = await network('conv3_1');
    const vectors = await KernelRunner.create({ threads: 2 });
    const wanted = loss(32);
    const objective = fusedObjective(net, wanted, [32, 32]);
    const start = tf.randomUniform([32, 32, 3], 0, 1, 'float32', 1) as tf.Tensor3D;
    const before = tf.memory().numTensors;
    const seen: { evaluations: number; sizes: number[] }[] = [];
    const { x, evaluations } = await minimize(
      {
        evaluate: objective.evaluate,
        problem: async () => wasmProblem(vectors, objective, [32, 32]),
      },
      start,
      {
        method: lbfgs({ memory: 30, preconditioner: pyramidPreconditioner() }),
        bounds: [0, 1],
        maxEvaluations: 300,
        onStep: ({ evaluations }) => {
          const engines = [net.engine, vectors].map(({ memory }) => memory.memory.buffer.byteLength);
          const sizes = [...engines, net.engine.memory.bytes, tf.memory().numTensors];
          seen.push({ evaluations, sizes });
        },
      },
    );
    expect(evaluations).toBe(300);
    // By then L-BFGS has all of its pairs.
    const late = seen.filter(({ evaluations }) => evaluations > 50);
    expect(late.length).toBeGreaterThan(200);
    for (const { sizes } of late) expect(sizes).toEqual(late[0].sizes);
    x.dispose();
    expect(tf.memory().numTensors).toBe(before);
    for (const { dispose } of [objective, wanted]) dispose?.();
    net.engine.dispose();
    vectors.dispose();
  });

  it.each([
    [512, 300e6],
    [1024, 1e9],
    [2048, 3.6e9],
  ])('is planned within its bounds at %d pixels', async (size, most) => {
    const net = await network('conv3_1');
    expect(net.engine.memory.bytes + wholeBytes(net, [size, size])).toBeLessThan(most);
    net.engine.dispose();
  });

  it.each([
    ['one', 16, 1],
    ['two', 45, 2],
    ['two', 200, 2],
  ])(
    'is estimated right with %s thread at %d pixels: all of it, and little more',
    async (_, size, threads) => {
      const net = await network('conv3_1', threads);
      const peak = watchPeak(net.engine.memory);
      const wanted = loss(size);
      const estimate = net.engine.memory.bytes + wholeBytes(net, [size, size]);
      const objective = fusedObjective(net, wanted, [size, size]);
      const image = tf.randomUniform([size, size, 3], 0, 1, 'float32', 1) as tf.Tensor3D;
      tf.dispose(Object.values(objective.evaluate(image)) as tf.TensorContainer);
      expect(peak()).toBeLessThanOrEqual(estimate);
      expect(peak()).toBeGreaterThan(0.97 * estimate);
      for (const { dispose } of [objective, wanted]) dispose?.();
      net.engine.dispose();
    },
  );

  it.each([
    [8, 5, false],
    [24, 4, true],
    [40, 2, false],
    [40, 1, true],
  ])(
    'is estimated right in bands of %d rows, with maps kept from stage %d on',
    async (rows, keptFrom, holdsTargets) => {
      const net = await network('conv3_1');
      const size = [130, 61] as const;
      const byImage = { ...request, features: [{ layer: 'conv2_2', fromImage: true }] } as const;
      const tiling = { rows, keptFrom, holdsTargets };
      const estimate = net.engine.memory.bytes + allBytes(tilingBytes(net, size, byImage, tiling));
      const peak = watchPeak(net.engine.memory);
      const image = tf.randomUniform([...size, 3], 0, 1, 'float32', 1) as tf.Tensor3D;
      const map = () => tf.zeros<tf.Rank.R4>([1, 1, 1, 1]);
      const target = { image, map, dispose: () => undefined };
      const terms = [{ kind: 'feature', layer: 'conv2_2', distance: 'mse', target, weight: 1 } as const];
      const wanted = sum([lossOfTerms('content', terms), grams()]);
      const objective = fusedObjective(net, wanted, size, { tiling });
      tf.dispose(Object.values(objective.evaluate(image)) as tf.TensorContainer);
      expect(peak()).toBeLessThanOrEqual(estimate);
      expect(peak()).toBeGreaterThan(0.97 * estimate);
      for (const { dispose } of [objective, wanted]) dispose?.();
      net.engine.dispose();
    },
  );

  it('is chosen so that it stays within the room, whatever that is', async () => {
    const net = await network('conv3_1');
    const size = [512, 512] as const;
    const bytesIn = (room: number) => {
      const tiling = chooseTiling(net, size, request, room);
      return tiling && { tiling, bytes: allBytes(tilingBytes(net, size, request, tiling)) };
    };
    const whole = bytesIn(1e9);
    expect(whole?.tiling.rows).toBe(512);
    let rows = 512;
    for (const room of [200e6, 120e6, 80e6, 50e6]) {
      const found = bytesIn(room);
      expect(found?.bytes).toBeLessThanOrEqual(room);
      expect(found?.tiling.rows).toBeLessThan(512);
      rows = Math.min(rows, found?.tiling.rows ?? 512);
    }
    expect(rows).toBeLessThan(64);
    expect(bytesIn(1e7)).toBeUndefined();
    net.engine.dispose();
  });

  it.each([
    [24, 40],
    [150, 260],
  ])('is estimated right for Gram matrices of a style image of %d x %d', async (height, width) => {
    const net = await network('conv3_1');
    const { rows, bytes } = gramRows(net, [height, width], style, 4e9);
    expect(rows).toBe(height);
    const estimate = net.engine.memory.bytes + bytes;
    const peak = watchPeak(net.engine.memory);
    const pixels = new Float32Array(height * width * 3).fill(0.5);
    finish(gramMatrices(net, pixels, [height, width], style, { normalization: 'none', rows }));
    expect(peak()).toBeLessThanOrEqual(estimate + 256);
    expect(peak()).toBeGreaterThan(0.95 * estimate);
    net.engine.dispose();
  });

  it('refuses what cannot fit, with an estimate and what would, in the proportions of the image', async () => {
    const extractor = await createWasmExtractor({
      ...loadedVgg19(randomWeights('conv3_1'), {
        lastLayer: 'conv3_1',
        convention: 'caffe',
        weightsName: 'random',
      }),
      threads: 1,
    });
    const refuses = (request: MemoryRequest, message: RegExp) =>
      expect(() => extractor.plan?.(request)).toThrow(
        expect.objectContaining({ code: 'OUT_OF_MEMORY', message: expect.stringMatching(message) }),
      );
    refuses(
      { layers: style, size: [256, 256], room: 1.1e7 },
      /^An image of 256 x 256 pixels takes about 1\d MiB of memory .* may use 11 MiB; accepted: about 1\d\d x 1\d\d pixels\.$/,
    );
    refuses(
      { layers: style, size: [20, 256], room: 1.1e7 },
      /of 256 x 20 pixels .* accepted: about \d{2,3} x \d{1,2} pixels\.$/,
    );
    refuses(
      { layers: style, size: [16, 16], style: { layers: style, size: [16, 16384] }, room: 4e7 },
      /^A style image of 16384 x 16 pixels takes about /,
    );
    expect(() => extractor.plan?.({ layers: style, size: [4096, 4096], tileable: false })).toThrow(
      expect.objectContaining({
        code: 'NOT_TILEABLE',
        message: expect.stringMatching(
          /^An image of 4096 x 4096 .* accepted: about 2\d{3} x 2\d{3} pixels, /,
        ),
      }),
    );
    const large = extractor.plan?.({ layers: style, size: [2048, 2048], featureTargets: ['conv2_2'] });
    expect(large?.tiles).toBe(1);
    expect(large?.targets).toBeCloseTo(4 * 1024 * 1024 * 128, -5);
    expect(large?.bytes).toBe((large?.maps ?? 0) + (large?.targets ?? 0));
    extractor.dispose();
  });

  it('refuses before it computes targets', async () => {
    let worked = false;
    const extractor = {
      name: 'full',
      engine: 'wasm',
      weights: 'none',
      layers: ['image', ...layersUpTo('conv3_1')],
      extract: () => {
        worked = true;
        return {};
      },
      linearize: () => {
        throw new Error('unreachable');
      },
      plan: () => {
        throw new RangeError('too large');
      },
      dispose: () => {},
    } as const;
    const image = tf.zeros([16, 16, 3]) as tf.Tensor3D;
    await expect(styleTransfer(image, image, 1, 1, { extractor })).rejects.toThrow('too large');
    expect(worked).toBe(false);
  });
});
