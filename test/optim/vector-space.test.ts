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
