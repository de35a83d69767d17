import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';
import { type WasmVector, wasmSpace } from '../../../src/engines/wasm/vectors/wasm-space';
import { type LbfgsOptions, lbfgs, minimize } from '../../../src/optim';
import { minimizeIn } from '../../../src/optim/minimize-in';
import { diagonalQuadratic, type Problem, referenceProblems } from '../../optim/problems';
import reference from '../../reference/lbfgs.json';

/** Curvatures from 1 to `condition`, in an order in which each block of a packed vector has large and small ones. */
function curvatures(condition: number, size: number): readonly number[] {
  // 619 and 1000 have no common factor.
  return Array.from({ length: size }, (_, i) => condition ** (((619 * i) % size) / (size - 1)));
}

describe('a history in 8 bits', () => {
  let engine: KernelRunner;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    engine = await KernelRunner.create({ threads: 1 });
  });
  afterAll(() => engine.dispose());

  /** Minimises in float32 until the value is this fraction of that at the start. */
  async function minimized(problem: Problem, options: LbfgsOptions<unknown>, fraction: number) {
    const space = wasmSpace(engine, [problem.start.length]);
    let first = Number.POSITIVE_INFINITY;
    const { value, evaluations, stopReason } = await minimizeIn(
      {
        space,
        evaluate(x: WasmVector) {
          const { value, gradient } = problem.evaluate(Float64Array.from(space.values(x)));
          return { value, gradient: space.vector(Float32Array.from(gradient)) };
        },
        toVector: (given: Float64Array) => space.vector(Float32Array.from(given)),
        fromVector: (vector: WasmVector) => Float64Array.from(space.values(vector)),
      } as never,
      space.vector(Float32Array.from(problem.start)),
      {
        method: lbfgs(options),
        bounds: undefined,
        maxIterations: 5000,
        maxEvaluations: 5000,
        tolerance: { gradient: 1e-6, decrease: 0 },
        signal: undefined,
        onStep: ({ iteration, value }) => {
          if (iteration === 0) first = value;
          return value > fraction * first;
        },
      },
    );
    space.close();
    return { value: value / first, evaluations, stopReason };
  }

  it.each(Object.keys(reference.problems))(
    'needs about the evaluations of one in float32: SciPy’s %s',
    async (name) => {
      const problem = referenceProblems[name];
      // The minimum of the trigonometric function is not 0.
      const fraction = name.startsWith('trigonometric') ? 0.0034 : 1e-9;
      const [packed, floats] = [
        await minimized(problem, {}, fraction),
        await minimized(problem, { precision: 'float32' }, fraction),
      ];
      expect(packed.value).toBeLessThanOrEqual(fraction);
      expect(floats.value).toBeLessThanOrEqual(fraction);
      expect(packed.evaluations).toBeLessThanOrEqual(1.1 * floats.evaluations + 2);
    },
  );

  it.each([
    [1e4, 1.1],
    [1e6, 1.15],
    [1e8, 1.25],
  ])('and on a quadratic of condition %d, at most %d times as many', async (condition, times) => {
    const problem = diagonalQuadratic(curvatures(condition, 1000));
    const [packed, floats] = [
      await minimized(problem, {}, 1e-6),
      await minimized(problem, { precision: 'float32' }, 1e-6),
    ];
    expect(packed.value).toBeLessThanOrEqual(1e-6);
    expect(packed.evaluations).toBeLessThanOrEqual(times * floats.evaluations);
  });

  it('is refused where vectors are not in the memory of the wasm engine, before any evaluation', async () => {
    const method = lbfgs({ precision: 'int8' });
    const refused = expect.objectContaining({ code: 'CONFLICTING_OPTIONS', option: 'precision' });
    const objective = () => expect.unreachable();
    await expect(minimize(objective as never, new Float64Array(3), { method })).rejects.toEqual(refused);
    const start = tf.zeros([3]);
    await expect(minimize(objective as never, start, { method })).rejects.toEqual(refused);
    start.dispose();
    expect(() => method.history?.(false)).toThrow(refused);
  });

  it('has 64 pairs by default where 8 bits are stored, else 20, and fewer or more where asked', () => {
    const both = (options: LbfgsOptions<unknown>) =>
      [true, false].map((packs) => lbfgs(options).history?.(packs));
    expect(both({})).toEqual([
      { pairs: 64, bits: 8 },
      { pairs: 20, bits: 32 },
    ]);
    expect(both({ precision: 'float32' })).toEqual([
      { pairs: 20, bits: 32 },
      { pairs: 20, bits: 32 },
    ]);
    expect(both({ memory: 7 })).toEqual([
      { pairs: 7, bits: 8 },
      { pairs: 7, bits: 32 },
    ]);
    const fewer = lbfgs().withPairs?.(30);
    expect([true, false].map((packs) => fewer?.history?.(packs)?.pairs)).toEqual([30, 20]);
  });
});
