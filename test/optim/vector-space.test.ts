import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelRunner } from '../../src/engines/wasm/runtime/kernel-runner';
import { wasmSpace } from '../../src/engines/wasm/vectors/wasm-space';
import { arraySpace } from '../../src/optim/array-space';
import { tensorSpace } from '../../src/optim/tensor-space';
import { vectorSpaceContract } from '../contracts/vector-space';
import { onEachBackend } from '../support/backends';

vectorSpaceContract('arraySpace', (size) => ({
  space: arraySpace(size),
  vector: (components): Float64Array => Float64Array.from(components),
  scalar: (value) => value,
  components: (vector) => vector,
}));

describe.each([1, 2])('on %d threads', (threads) => {
  let engine: KernelRunner;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    engine = await KernelRunner.create({ threads });
  });
  afterAll(() => engine.dispose());

  it('the wasm space refuses vectors that were disposed', async () => {
    const space = wasmSpace(engine, [2]);
    const [a, b] = [space.vector(Float32Array.of(1, 2)), space.vector(Float32Array.of(3, 4))];
    space.dispose(a);
    const refused = expect.objectContaining({ code: 'DISPOSED' });
    expect(() => space.multiply(a, b)).toThrow(refused);
    expect(() => space.combine([1], [a])).toThrow(refused);
    expect(() => space.project(b, { lower: a, upper: 1 })).toThrow(refused);
    expect(() => space.values(a)).toThrow(refused);
    expect(() => space.adopt(a)).toThrow(refused);
    await expect(space.measure([{ kind: 'largest', of: [a] }])).rejects.toEqual(refused);
    space.close();
  });

  vectorSpaceContract('wasmSpace', (size) => {
    const space = wasmSpace(engine, [size]);
    return {
      space,
      vector: (components) => space.vector(Float32Array.from(components)),
      scalar: (value) => value,
      components: (vector) => space.values(vector).slice(),
    };
  });
});

onEachBackend(() => {
  vectorSpaceContract('tensorSpace', (size) => {
    const space = tensorSpace<tf.Tensor1D>([size]);
    return {
      space,
      vector: (components) => space.adopt(tf.tensor1d([...components])),
      scalar: (value) => tf.scalar(value),
      components: (vector) => vector.dataSync(),
    };
  });

  it('a tensor space refuses vectors that were disposed', async () => {
    const space = tensorSpace<tf.Tensor1D>([2]);
    const [a, b] = [space.adopt(tf.ones<tf.Rank.R1>([2])), space.adopt(tf.zeros<tf.Rank.R1>([2]))];
    space.dispose(a);
    const refused = expect.objectContaining({ code: 'DISPOSED' });
    expect(() => space.multiply(a, b)).toThrow(refused);
    expect(() => space.project(b, { lower: a, upper: 1 })).toThrow(refused);
    expect(() => space.adopt(a)).toThrow(refused);
    await expect(space.measure([{ kind: 'products', left: [b], right: [a] }])).rejects.toEqual(refused);
    space.close();
  });

  it('a tensor space keeps a vector apart from the same one that an objective hands back', () => {
    const before = tf.memory().numTensors;
    const space = tensorSpace<tf.Tensor1D>([2]);
    const x = space.adopt(tf.ones<tf.Rank.R1>([2]));
    const gradient = space.adopt(x);
    space.dispose(gradient);
    expect(x.isDisposed).toBe(false);
    space.close();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('a tensor space frees what is left in it: vectors and scalars', () => {
    const before = tf.memory().numTensors;
    const space = tensorSpace<tf.Tensor2D>([2, 2]);
    const a = space.adopt(tf.ones<tf.Rank.R2>([2, 2]));
    const b = space.combine([2], [a]);
    space.freeMask(a, b, { lower: 0, upper: 1 });
    const scalar = tf.scalar(1);
    space.adoptScalars([scalar, scalar]);
    space.close();
    expect(tf.memory().numTensors).toBe(before);
  });
});
