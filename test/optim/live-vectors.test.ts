import { describe, expect, it } from 'vitest';
import { adam, lbfgs, type Method, minimize } from '../../src/optim';
import { arraySpace } from '../../src/optim/array-space';
import { averageVectors } from '../../src/optim/iterate-average';
import { minimizeIn } from '../../src/optim/minimize-in';
import type { VectorSpace } from '../../src/optim/vector-space';
import { extendedPowell, extendedRosenbrock, type Problem, wood } from './problems';

/** An array space that counts its vectors: those made, or adopted, and not yet freed. */
function countingSpace(size: number): VectorSpace<Float64Array, number> & { readonly most: () => number } {
  const space = arraySpace(size);
  const alive = new Set<Float64Array>();
  let most = 0;
  const counted =
    <A extends readonly unknown[]>(operation: (...args: A) => Float64Array) =>
    (...args: A): Float64Array => {
      const vector = operation(...args);
      alive.add(vector);
      most = Math.max(most, alive.size);
      return vector;
    };
  return {
    ...space,
    adopt: counted(space.adopt),
    copy: counted(space.copy),
    combine: counted(space.combine),
    multiply: counted(space.multiply),
    divideByRoot: counted(space.divideByRoot),
    project: counted(space.project),
    freeMask: counted(space.freeMask),
    precondition: counted(space.precondition),
    dispose: (...vectors) => {
      for (const vector of vectors) alive.delete(vector);
    },
    most: () => most,
  };
}

const problems: [string, Problem][] = [
  ['extended Rosenbrock', extendedRosenbrock(20)],
  ['Wood', wood],
  ['extended Powell', extendedPowell(16)],
];
const scaled = { apply: (vector: Float64Array) => vector.map((component, i) => component * (1 + (i % 3))) };

describe('a run holds no more vectors than its method says', () => {
  it.each(problems)('%s', async (_, problem) => {
    const memory = 3;
    const most: number[] = [];
    const run = async (method: Method<Float64Array>, bounded: boolean, factor = 1, average = 0) => {
      const space = countingSpace(problem.start.length);
      const evaluate = (x: Float64Array) => {
        const { value, gradient } = problem.evaluate(x);
        return { value: factor * value, gradient: gradient.map((component) => factor * component) };
      };
      await minimizeIn(
        { space, evaluate, toVector: space.copy, fromVector: space.copy },
        space.copy(problem.start),
        {
          method,
          bounds: bounded ? { lower: -2, upper: 0.9 } : undefined,
          maxIterations: 60,
          maxEvaluations: 100,
          tolerance: { gradient: 0, decrease: 0 },
          signal: undefined,
          onStep: undefined,
          average,
        },
      );
      const { pairs } = method.history?.(false) ?? { pairs: 0 };
      most.push(space.most() - 2 * pairs);
      expect(most.at(-1)).toBeLessThanOrEqual((method.vectors ?? 0) + (average ? averageVectors : 0));
    };
    for (const bounded of [false, true])
      for (const factor of [1, 2 ** 80])
        for (const preconditioner of [undefined, scaled]) {
          await run(lbfgs({ memory, preconditioner }), bounded, factor);
          await run(adam({ learningRate: 0.1 }), bounded, factor);
          await run(lbfgs({ memory, preconditioner }), bounded, factor, 0.9);
          await run(adam({ learningRate: 0.1 }), bounded, factor, 0.9);
        }
    // A bound that no run comes near would say nothing.
    expect(Math.max(...most)).toBeGreaterThanOrEqual(8);
  });

  it('and one made for fewer pairs is one that was given fewer', async () => {
    const method = lbfgs<Float64Array>({ memory: 12 });
    const fewer = method.withPairs?.(5);
    expect(fewer?.history?.(false)).toEqual({ pairs: 5, bits: 32 });
    expect(method.withPairs?.(40).history?.(false)).toEqual({ pairs: 12, bits: 32 });
    const problem = extendedRosenbrock(10);
    const [one, other] = [
      await minimize(problem, problem.start, { method: fewer }),
      await minimize(problem, problem.start, { method: lbfgs({ memory: 5 }) }),
    ];
    expect(one.evaluations).toBe(other.evaluations);
    expect(Array.from(one.x)).toEqual(Array.from(other.x));
  });
});
