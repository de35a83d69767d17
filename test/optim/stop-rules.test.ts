import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelRunner } from '../../src/engines/wasm/runtime/kernel-runner';
import { type WasmVector, wasmSpace } from '../../src/engines/wasm/vectors/wasm-space';
import { adam, lbfgs, type MinimizeOptions, minimize, type Problem } from '../../src/optim';
import '../support/to-be-allclose';
import {
  beale,
  diagonalQuadratic,
  extendedPowell,
  extendedRosenbrock,
  type Problem as TestFunction,
} from './problems';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Box = readonly [lower: number, upper: number] | undefined;

/** The outcome of a run. */
interface Outcome {
  readonly x: readonly number[];
  readonly value: number;
  readonly iterations: number;
  readonly evaluations: number;
  readonly stopReason: string;
}

/** Minimises `unit` times a test function over one kind of vector, with the default tolerances. */
type Minimizer = (
  problem: TestFunction,
  unit: number,
  options: { bounds?: Box; adam?: boolean },
) => Promise<Outcome>;

const scaled =
  ({ evaluate }: TestFunction, unit: number) =>
  (x: Float64Array) => {
    const { value, gradient } = evaluate(x);
    return { value: unit * value, gradient: gradient.map((component) => unit * component) };
  };

const overArrays: Minimizer = async (problem, unit, { bounds, adam: byAdam }) => {
  const method = byAdam ? adam({ learningRate: 0.1 }) : lbfgs();
  const maxIterations = byAdam ? 30 : 1000;
  const { x, ...found } = await minimize(scaled(problem, unit), problem.start, {
    bounds,
    method,
    maxIterations,
  });
  return { ...found, x: [...x] };
};

const onTensors: Minimizer = async (problem, unit, { bounds, adam: byAdam }) => {
  const evaluate = scaled(problem, unit);
  const start = tf.tensor1d(Float32Array.from(problem.start));
  const { x, ...found } = await minimize(
    (at: tf.Tensor1D) => {
      const { value, gradient } = evaluate(Float64Array.from(at.dataSync()));
      return { value: tf.scalar(value), gradient: tf.tensor1d(Float32Array.from(gradient)) };
    },
    start,
    { bounds, method: byAdam ? adam({ learningRate: 0.1 }) : lbfgs(), maxIterations: byAdam ? 30 : 1000 },
  );
  const numbers = [...x.dataSync()];
  tf.dispose([start, x]);
  return { ...found, x: numbers };
};

let runner: KernelRunner;
beforeAll(async () => {
  runner = await KernelRunner.create({ threads: 1 });
});
afterAll(() => runner.dispose());

const inWasm: Minimizer = async (problem, unit, { bounds, adam: byAdam }) => {
  const evaluate = scaled(problem, unit);
  const size = problem.start.length;
  const start = tf.tensor1d(Float32Array.from(problem.start));
  const space = wasmSpace(runner, [size]);
  const own: Problem<WasmVector, number> = {
    space,
    evaluate(at) {
      const { value, gradient } = evaluate(Float64Array.from(space.values(at)));
      return { value, gradient: space.vector(Float32Array.from(gradient)) };
    },
    toVector: async (tensor) => space.vector(await tensor.data<'float32'>()),
    fromVector: (vector) => tf.tensor1d(space.values(vector).slice()),
  };
  const { x, ...found } = await minimize(
    { evaluate: () => expect.unreachable(), problem: async () => own },
    start,
    { bounds, method: byAdam ? adam({ learningRate: 0.1 }) : lbfgs(), maxIterations: byAdam ? 30 : 1000 },
  );
  const numbers = [...x.dataSync()];
  tf.dispose([start, x]);
  return { ...found, x: numbers };
};

const functions: readonly [string, TestFunction][] = [
  ['a quadratic', diagonalQuadratic([1, 10, 100])],
  ['Beale', beale],
  ['Rosenbrock', extendedRosenbrock(4)],
  ['Powell', extendedPowell(8)],
];
const boxes: readonly Box[] = [undefined, [-10, 0.9], [0.25, Number.POSITIVE_INFINITY]];

describe('a run does not depend on the unit of the objective', () => {
  const cases = functions.flatMap(([name, problem]) =>
    boxes.map((bounds) => [name, bounds, problem] as const),
  );

  it.each(cases)('for any unit from 1e-30 to 1e30, over arrays: %s in %s', async (_, bounds, problem) => {
    const expected = await overArrays(problem, 1, { bounds });
    expect(expected.stopReason).toBe('converged');
    await fc.assert(
      fc.asyncProperty(fc.double({ min: -30, max: 30, noNaN: true }), async (exponent) => {
        const unit = 10 ** exponent;
        const found = await overArrays(problem, unit, { bounds });
        expect(found).toMatchObject({
          iterations: expected.iterations,
          evaluations: expected.evaluations,
          stopReason: 'converged',
        });
        expect(found.x).toBeAllclose(expected.x, { rtol: 1e-6, atol: 1e-6 });
        expect(found.value / unit).toBeAllclose(expected.value, { rtol: 1e-6, atol: 1e-9 });
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['tensors', onTensors],
    ['the wasm space', inWasm],
  ])('to the bit for powers of two, and closely for others, over %s', async (_, run) => {
    for (const [, problem] of functions)
      for (const bounds of boxes) {
        const expected = await run(problem, 1, { bounds });
        expect(expected.stopReason).toMatch(/converged|stalled/);
        for (const exponent of [-98, -60, -28, 30, 60, 98]) {
          const unit = 2 ** exponent;
          const found = await run(problem, unit, { bounds });
          expect([found.x, found.iterations, found.evaluations, found.stopReason]).toEqual([
            expected.x,
            expected.iterations,
            expected.evaluations,
            expected.stopReason,
          ]);
          // Of 1e-15 at 2^-98 float32 has few digits left.
          expect(found.value / unit).toBeAllclose(expected.value, { rtol: 1e-6, atol: 1e-14 });
        }
        for (const unit of [1e-30, 1e-8, 1e8, 1e30]) {
          const found = await run(problem, unit, { bounds });
          expect(found.x).toBeAllclose(expected.x, { rtol: 0.02, atol: 0.02 });
          expect(found.iterations).toBeGreaterThan(0);
        }
      }
  });

  it.each([
    ['arrays', overArrays],
    ['tensors', onTensors],
    ['the wasm space', inWasm],
  ])('where it is large, for Adam over %s: its epsilon stays in the unit of the gradient', async (_, run) => {
    const problem = diagonalQuadratic([1, 10]);
    const [expected, found] = [
      await run(problem, 1, { adam: true }),
      await run(problem, 2 ** 98, { adam: true }),
    ];
    expect(found.iterations).toBe(30);
    expect(found.x).toBeAllclose(expected.x, { rtol: 1e-4, atol: 1e-5 });
  });
});

describe('the default tolerances', () => {
  it('go on where the gradient at the start is out of all proportion', async () => {
    // x - log x from 1e-8: the gradient is -1e8 there, and 0 at 1.
    const objective = ([x]: Float64Array) => ({
      value: x - Math.log(x),
      gradient: Float64Array.of(1 - 1 / x),
    });
    const { x, stopReason } = await minimize(objective, Float64Array.of(1e-8));
    expect(stopReason).toBe('converged');
    expect(x[0]).toBeCloseTo(1, 5);
  });

  it.each([
    ['arrays', overArrays],
    ['tensors', onTensors],
    ['the wasm space', inWasm],
  ])('do not take a gradient that is small beside x for none, in a box: over %s', async (_, run) => {
    const problem = { ...diagonalQuadratic([1, 2]), start: Float64Array.of(0.75, 0.5) };
    const found = await run(problem, 1e-8, { bounds: [-1, 1] });
    expect(found.iterations).toBeGreaterThan(0);
    expect(found.x).toBeAllclose([0, 0], { atol: 1e-3 });
  });

  it('do not end Adam where its loss rises first', async () => {
    // As noise or a steep rate may do: for fifteen evaluations the value rises, though the gradient points to the
    // minimum at 4.
    let asked = 0;
    const objective = ([x]: Float64Array) => {
      asked++;
      return { value: asked <= 15 ? asked : (x - 4) ** 2, gradient: Float64Array.of(2 * (x - 4)) };
    };
    const { x, iterations, stopReason } = await minimize(objective, Float64Array.of(-1), {
      method: adam({ learningRate: 0.2 }),
      maxIterations: 80,
    });
    expect(stopReason).toBe('maxIterations');
    expect(iterations).toBe(80);
    expect(x[0]).toBeCloseTo(4, 0);
  });

  it('end Adam where its values no longer change', async () => {
    const { stopReason, iterations } = await minimize(
      (x: Float64Array) => ({ value: 1 + 1e-12 * x[0], gradient: Float64Array.of(1e-12) }),
      Float64Array.of(0),
      { method: adam() },
    );
    expect([stopReason, iterations]).toEqual(['converged', 10]);
  });
});

describe('a tolerance of 0 is off', () => {
  const flat = (x: Float64Array) => ({ value: 1 + 1e-12 * Math.cos(x[0]), gradient: Float64Array.of(1e-12) });

  it.each([
    ['both, as a number', 0],
    ['both, by name', { gradient: 0, decrease: 0 }],
  ])('%s', async (_, tolerance) => {
    const found = await minimize(flat, Float64Array.of(0), { tolerance, method: adam(), maxIterations: 40 });
    expect(found).toMatchObject({ stopReason: 'maxIterations', iterations: 40 });
  });

  it('each alone', async () => {
    const run = (tolerance: MinimizeOptions<Float64Array>['tolerance']) =>
      minimize(flat, Float64Array.of(0), { tolerance, method: adam(), maxIterations: 40 });
    expect(await run({ gradient: 1, decrease: 0 })).toMatchObject({ stopReason: 'converged', iterations: 0 });
    expect(await run({ gradient: 0 })).toMatchObject({ stopReason: 'converged', iterations: 10 });
  });

  it('and a gradient of exactly 0 ends a run all the same', async () => {
    const constant = (x: Float64Array) => ({ value: 3, gradient: new Float64Array(x.length) });
    for (const method of [lbfgs(), adam()])
      expect(await minimize(constant, Float64Array.of(1), { method, tolerance: 0 })).toMatchObject({
        stopReason: 'converged',
        iterations: 0,
      });
  });
});
