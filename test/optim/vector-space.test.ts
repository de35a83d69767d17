import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
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

  const packingSpace = (size: number) => {
    const space = wasmSpace(engine, [size]);
    const { pack } = space;
    if (!pack) throw new Error('The wasm space packs vectors.');
    return { ...space, pack };
  };
  const valuesIn = (space: ReturnType<typeof wasmSpace>, vector: Parameters<typeof space.values>[0]) =>
    Array.from(space.values(vector));

  it('the wasm space packs the multiples of 1/127 of a block’s largest magnitude that are nearest', () => {
    const space = packingSpace(70);
    const components = new Float32Array(70);
    components.set([127, -1.4, 0.6, 0, -127, 64.5]);
    // Another block, with another scale: 254 / 127 = 2.
    components.set([-254, 3.1, -0.9], 64);
    const packed = space.pack(space.vector(components));
    const read = valuesIn(space, space.combine([1], [packed]));
    expect(read.slice(0, 7)).toEqual([127, -1, 1, 0, -127, 64, 0]);
    expect(read.slice(64)).toEqual([-254, 4, 0, 0, 0, 0]);
    space.close();
  });

  it('the wasm space computes with packed vectors as with the floats that they stand for', async () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 140 }), fc.constantFrom(1024, 16_385, 50_003));
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 1000 }), async (size, seed) => {
        const space = packingSpace(size);
        const numbers = (phase: number) =>
          Float32Array.from({ length: size }, (_, i) => Math.sin(seed * (i + phase)) * 2 ** ((i % 7) - 3));
        const [a, b, c] = [0, 0.3, 0.6].map((phase) => space.vector(numbers(phase)));
        const packed = [space.pack(a), space.pack(b)];
        const floats = packed.map((one) => space.combine([1], [one]));
        const original = valuesIn(space, a);
        valuesIn(space, floats[0]).forEach((component, i) => {
          const block = original.slice(i - (i % 64), i - (i % 64) + 64);
          const scale = Math.max(...block.map(Math.abs)) / 127;
          expect(Math.abs(component - original[i])).toBeLessThanOrEqual(scale * 0.500_01);
        });

        const mixed = (left: readonly (typeof a)[]) =>
          valuesIn(space, space.combine([2, -1, 0.5, 3], [left[0], b, left[1], c]));
        expect(mixed(packed)).toBeAllclose(mixed(floats), { rtol: 0, atol: 1e-5 });
        // More packed vectors than are added at a time, and an odd number.
        const many = Array.from({ length: 37 }, (_, k) => k % 2);
        const sum = (of: readonly (typeof a)[]) =>
          valuesIn(
            space,
            space.combine(
              many.map((_, k) => 1 / (k + 1)),
              many.map((which) => of[which]),
            ),
          );
        expect(sum(packed)).toBeAllclose(sum(floats), { rtol: 0, atol: 2e-5 });

        const products = (left: readonly (typeof a)[]) =>
          space.measure([
            { kind: 'products', left: [left[0], b, left[1]], right: [c, b] },
            { kind: 'products', left: [left[1]], right: [c] },
            { kind: 'products', left: [left[0]], right: [a, b, c] },
            { kind: 'products', left: [a, b, c], right: [a, b, c] },
            { kind: 'products', left: [left[0]], right: [] },
          ]);
        const [found, expected] = [await products(packed), await products(floats)];
        // Up to half of 1/32767 of the largest component is rounded off; of many, most of it cancels.
        const scale = Math.max(...expected[3].map(Math.abs));
        found.forEach((numbers, i) => {
          expect(numbers).toBeAllclose(expected[i], { rtol: 0, atol: scale * (size < 1000 ? 4e-5 : 3e-6) });
        });
        expect(found[3]).toEqual(expected[3]);
        space.close();
      }),
      { numRuns: 15 },
    );
  });

  it('packed vectors do not hide what is not a number, and vanish below 2^-100', async () => {
    const space = packingSpace(3);
    const ones = space.vector(Float32Array.of(1, 1, 1));
    const left = [
      [1, Number.NaN, 2],
      [1, Number.POSITIVE_INFINITY, 2],
      [2 ** -101, -(2 ** -120), 0],
      [0, 0, 0],
    ].map((components) => space.pack(space.vector(Float32Array.from(components))));
    const [products] = await space.measure([{ kind: 'products', left, right: [ones, ones] }]);
    expect(products.slice(0, 4).every(Number.isFinite)).toBe(false);
    expect(products.slice(0, 4).some(Number.isFinite)).toBe(false);
    expect(products.slice(4)).toEqual([0, 0, 0, 0]);
    space.close();
  });

  it('packed vectors are refused where floats are needed, and after they were disposed', async () => {
    const space = packingSpace(3);
    const a = space.vector(Float32Array.of(1, 2, 3));
    const packed = space.pack(a);
    const refused = expect.objectContaining({ code: 'WRONG_TYPE' });
    expect(() => space.multiply(a, packed)).toThrow(refused);
    expect(() => space.pack(packed)).toThrow(refused);
    expect(() => space.values(packed)).toThrow(refused);
    expect(() => space.project(a, { lower: packed, upper: 1 })).toThrow(refused);
    await expect(space.measure([{ kind: 'products', left: [a], right: [packed] }])).rejects.toEqual(refused);
    space.dispose(packed);
    expect(() => space.combine([1], [packed])).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    space.close();
    expect(() => space.pack(a)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });

  it('vectors of both kinds leave no gaps in the memory, and nothing once the space is closed', () => {
    const before = engine.memory.bytes;
    const space = packingSpace(6000);
    const kept: ReturnType<typeof space.pack>[] = [];
    let most = 0;
    for (let i = 0; i < 40; i++) {
      const made = [0, 1, 2].map(() => space.vector(new Float32Array(6000)));
      kept.push(space.pack(made[1]), space.pack(made[2]));
      space.dispose(...made, ...kept.splice(0, kept.length - 8));
      most = Math.max(most, engine.memory.bytes - before);
    }
    // 3 vectors of 4 bytes and 10 of 1 + 4 / 64, rounded up to cache lines.
    expect(most).toBeLessThan(6016 * (3 * 4 + 10 * (1 + 4 / 64)) + 13 * 128);
    space.close();
    expect(engine.memory.bytes).toBe(before);
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
      components: (vector) => vector.data(),
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
