import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelRunner } from '../../src/engines/wasm/runtime/kernel-runner';
import { type WasmVector, wasmSpace } from '../../src/engines/wasm/vectors/wasm-space';
import { adam, lbfgs, type Method, type MinimizeOptions, minimize, type Problem } from '../../src/optim';
import { wood } from './problems';

/** Kinds of faults in an evaluation: it throws, or returns something other than value and gradient. */
type Fault = 'throws' | 'rejects' | 'wrong shape' | 'wrong value' | 'wrong term';
const faults: readonly Fault[] = ['throws', 'rejects', 'wrong shape', 'wrong value', 'wrong term'];
const failure = new Error('fault');
const expected = (fault: Fault): unknown => {
  if (fault === 'throws' || fault === 'rejects') return failure;
  return expect.objectContaining({ code: fault === 'wrong shape' ? 'WRONG_SHAPE' : 'WRONG_TYPE' });
};

const tensorOf = (numbers: ArrayLike<number>) => tf.tensor1d(Float32Array.from(numbers));

/** Runs with a fault at one call, and with a listener; tells what is left in memory. */
interface Setting {
  /** Tensors and bytes that are alive. */
  alive(): number;
  run(
    fault: Fault | undefined,
    at: number,
    options: Omit<MinimizeOptions<never>, 'bounds'>,
  ): Promise<unknown>;
}

const arrays: Setting = {
  alive: () => tf.memory().numTensors,
  run(fault, at, options) {
    let calls = 0;
    return minimize(
      (x: Float64Array) => {
        const { value, gradient } = wood.evaluate(x);
        if (calls++ !== at) return { value, gradient };
        if (fault === 'throws') throw failure;
        if (fault === 'rejects') return Promise.reject(failure);
        if (fault === 'wrong shape') return { value, gradient: new Float64Array(3) };
        if (fault === 'wrong value') return { value: '1' as never, gradient };
        return { value, gradient, terms: { part: undefined as never } };
      },
      wood.start,
      { ...options, bounds: [-4, 0.9] } as MinimizeOptions<Float64Array>,
    );
  },
};

const tensors: Setting = {
  alive: () => tf.memory().numTensors,
  async run(fault, at, options) {
    let calls = 0;
    const start = tensorOf(wood.start);
    try {
      const { x } = await minimize(
        (at1: tf.Tensor1D) => {
          const { value, gradient } = wood.evaluate(Float64Array.from(at1.dataSync()));
          const now = calls++ === at ? fault : undefined;
          if (now === 'throws') throw failure;
          if (now === 'rejects') return Promise.reject(failure);
          const terms = {
            half: tf.scalar(value / 2),
            part: now === 'wrong term' ? (3 as never) : tf.scalar(0),
          };
          return {
            value: now === 'wrong value' ? (value as never) : tf.scalar(value),
            gradient: now === 'wrong shape' ? tf.zeros<tf.Rank.R1>([3]) : tensorOf(gradient),
            terms,
          };
        },
        start,
        { ...options, bounds: [-4, 0.9] } as MinimizeOptions<tf.Tensor1D>,
      );
      x.dispose();
    } finally {
      start.dispose();
    }
  },
};

let runner: KernelRunner;
const wasm: Setting = {
  alive: () => tf.memory().numTensors + runner.memory.bytes,
  async run(fault, at, options) {
    let calls = 0;
    const start = tensorOf(wood.start);
    const space = wasmSpace(runner, [4]);
    const problem: Problem<WasmVector, number> = {
      space,
      evaluate(x) {
        const { value, gradient } = wood.evaluate(Float64Array.from(space.values(x)));
        const now = calls++ === at ? fault : undefined;
        if (now === 'throws') throw failure;
        if (now === 'rejects') return Promise.reject(failure);
        if (now === 'wrong shape') tf.tidy(() => space.precondition({ apply: () => tf.scalar(1) }, x));
        return {
          value: now === 'wrong value' ? ('1' as never) : value,
          gradient: space.vector(Float32Array.from(gradient)),
          terms: { part: now === 'wrong term' ? (undefined as never) : 0 },
        };
      },
      toVector: async (tensor) => space.vector(await tensor.data<'float32'>()),
      fromVector: (vector) => tensorOf(space.values(vector)),
    };
    try {
      const objective = { evaluate: () => expect.unreachable(), problem: async () => problem };
      const { x } = await minimize(objective, start, {
        ...options,
        bounds: [-4, 0.9],
      } as MinimizeOptions<tf.Tensor1D>);
      x.dispose();
    } finally {
      start.dispose();
    }
  },
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  runner = await KernelRunner.create({ threads: 1 });
});
afterAll(() => runner.dispose());

const methods: readonly [string, () => Method<unknown>][] = [
  ['L-BFGS', () => lbfgs({ memory: 3 })],
  ['Adam', () => adam()],
];
const settings = { arrays, tensors, 'the wasm space': wasm };

describe.each(Object.entries(settings))('over %s nothing is left behind', (name, setting) => {
  const limits = { tolerance: 0, maxEvaluations: 9 } as const;

  it.each(methods)('where any evaluation of %s fails in any way', async (_, method) => {
    // The first run makes scratch memory.
    await setting.run(undefined, -1, { ...limits, method: method() });
    const before = setting.alive();
    for (const fault of faults)
      for (let at = 0; at < limits.maxEvaluations; at++) {
        await expect(setting.run(fault, at, { ...limits, method: method() })).rejects.toEqual(
          expected(fault),
        );
        expect(setting.alive()).toBe(before);
      }
  });

  it.each(methods)(
    'where any call of the listener of %s fails, after it has looked at x',
    async (_, method) => {
      const before = setting.alive();
      for (let at = 0; at < 5; at++) {
        const onStep = (step: { iteration: number; x: unknown }) => {
          expect(step.x).toBeDefined();
          if (step.iteration === at) throw failure;
        };
        await expect(setting.run(undefined, -1, { ...limits, method: method(), onStep })).rejects.toBe(
          failure,
        );
        expect(setting.alive()).toBe(before);
      }
    },
  );

  it('where any call of a preconditioner fails or answers with another shape', async () => {
    const before = setting.alive();
    for (const wrong of [
      () => {
        throw failure;
      },
      () => (name === 'arrays' ? new Float64Array(3) : tf.zeros([3])),
      () => undefined,
    ])
      for (let at = 0; at < 12; at++) {
        let calls = 0;
        const preconditioner = {
          apply: (v: tf.Tensor | Float64Array) => {
            if (calls++ === at) return wrong() as never;
            return v instanceof Float64Array ? v.slice() : tf.clone(v);
          },
        };
        const method = lbfgs<never>({ preconditioner: preconditioner as never, memory: 3 });
        const run = setting.run(undefined, -1, { ...limits, method });
        await expect(run).rejects.toSatisfy(
          (error) => error === failure || (error as { code?: string }).code === 'WRONG_SHAPE',
        );
        expect(setting.alive()).toBe(before);
      }
  });
});
