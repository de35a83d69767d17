import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lbfgs, minimize } from '../../src/optim';
import '../support/to-be-allclose';
import { beale, diagonalQuadratic, extendedRosenbrock, wood } from './problems';

const finite = (least: number, greatest: number) => fc.double({ min: least, max: greatest, noNaN: true });
const vectors = (size: number, least: number, greatest: number) =>
  fc
    .array(finite(least, greatest), { minLength: size, maxLength: size })
    .map((numbers) => Float64Array.from(numbers));

/** 1/2 (x - c)^T A (x - c) with A = B^T B + I / 10. */
function quadratic(b: Float64Array, center: Float64Array) {
  const n = center.length;
  const times = (v: Float64Array) => {
    const bv = Float64Array.from({ length: n }, (_, i) =>
      v.reduce((sum, component, j) => sum + b[i * n + j] * component, 0),
    );
    return Float64Array.from({ length: n }, (_, j) =>
      bv.reduce((sum, component, i) => sum + b[i * n + j] * component, 0.1 * v[j]),
    );
  };
  return (x: Float64Array) => {
    const away = x.map((component, i) => component - center[i]);
    const gradient = times(away);
    return { value: 0.5 * away.reduce((sum, component, i) => sum + component * gradient[i], 0), gradient };
  };
}

function expectNoRise(values: readonly number[]): void {
  const rises = values.slice(1).map((value, i) => value - values[i]);
  expect(rises.every((rise, i) => rise <= 16 * Number.EPSILON * Math.abs(values[i]))).toBe(true);
}

const convexProblem = fc
  .integer({ min: 1, max: 6 })
  .chain((n) => fc.record({ b: vectors(n * n, -2, 2), center: vectors(n, -3, 3), start: vectors(n, -3, 3) }));

describe('lbfgs', () => {
  it('finds the minimum of any convex quadratic, never going up by more than rounding', async () => {
    await fc.assert(
      fc.asyncProperty(
        convexProblem,
        fc.integer({ min: 1, max: 8 }),
        async ({ b, center, start }, memory) => {
          const values: number[] = [];
          const result = await minimize(quadratic(b, center), start, {
            method: lbfgs({ memory }),
            tolerance: 1e-8,
            onStep: ({ value }) => values.push(value),
          });
          expect(result.stopReason).toBe('converged');
          expect(result.x).toBeAllclose(center, { atol: 1e-6 });
          expectNoRise(values);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('finds the minimum of any convex quadratic in a box, never leaving it', async () => {
    await fc.assert(
      fc.asyncProperty(convexProblem, async ({ b, center, start }) => {
        const steps: { value: number; x: Float64Array }[] = [];
        const objective = quadratic(b, center);
        const result = await minimize(objective, start, {
          bounds: [-1, 1],
          tolerance: { gradient: 1e-7, decrease: 0 },
          onStep: ({ value, x }) => steps.push({ value, x: x.slice() }),
        });
        for (const { x } of steps)
          expect(x.every((component) => component >= -1 && component <= 1)).toBe(true);
        const values = steps.map(({ value }) => value);
        expectNoRise(values);
        // Karush, Kuhn and Tucker: a component of the gradient may differ from 0 only where it pushes against a bound.
        const { gradient } = objective(result.x);
        result.x.forEach((component, i) => {
          const pushes = (component === -1 && gradient[i] > 0) || (component === 1 && gradient[i] < 0);
          expect(pushes || Math.abs(gradient[i]) < 1e-6).toBe(true);
        });
        expect(result.stopReason).toBe('converged');
      }),
      { numRuns: 50 },
    );
  });

  it('takes the same steps whatever the unit of the objective is', async () => {
    const run = async (unit: number) => {
      const path: number[][] = [];
      await minimize(
        (x: Float64Array) => {
          const { value, gradient } = wood.evaluate(x);
          return { value: unit * value, gradient: gradient.map((component) => unit * component) };
        },
        wood.start,
        { maxIterations: 30, onStep: ({ x }) => path.push([...x]) },
      );
      return path;
    };
    expect(await run(2 ** 40)).toEqual(await run(2 ** -40));
  });

  it('keeps its pairs when the unit of the objective changes on the way', async () => {
    const problem = diagonalQuadratic([1, 10, 100, 1000]);
    let evaluations = 0;
    const changing = (x: Float64Array) => {
      const unit = evaluations++ < 12 ? 1 : 4;
      const { value, gradient } = problem.evaluate(x);
      return { value: unit * value, gradient: gradient.map((component) => unit * component) };
    };
    const result = await minimize(changing, problem.start, { tolerance: 1e-8, maxEvaluations: 60 });
    expect(result.stopReason).toBe('converged');
    expect(result.x).toBeAllclose([0, 0, 0, 0], { atol: 1e-8 });
  });

  it('solves Rosenbrock in a box whose corner cuts the valley off', async () => {
    // With a <= 0.5 the valley's lowest point is (0.5, 0.25), where the value is (1 - 0.5)^2.
    const { evaluate } = extendedRosenbrock(2);
    const upper = Float64Array.of(0.5, Number.POSITIVE_INFINITY);
    const result = await minimize(evaluate, Float64Array.of(-1.2, 1), {
      bounds: [Number.NEGATIVE_INFINITY, upper],
      tolerance: 1e-8,
    });
    expect(result.stopReason).toBe('converged');
    expect(result.x).toBeAllclose([0.5, 0.25], { atol: 1e-6 });
    expect(result.value).toBeCloseTo(0.25, 10);
  });

  it('solves Beale in a box that holds its minimum (3, 0.5) inside', async () => {
    const result = await minimize(beale, beale.start, { bounds: [-4.5, 4.5], tolerance: 1e-8 });
    expect(result.x).toBeAllclose([3, 0.5], { atol: 1e-6 });
  });

  it('is done at once where every bound holds', async () => {
    const objective = (x: Float64Array) => ({ value: x[0] - x[1], gradient: Float64Array.of(1, -1) });
    const result = await minimize(objective, Float64Array.of(-5, 5), { bounds: [0, 1] });
    expect(result).toMatchObject({ stopReason: 'converged', iterations: 0, evaluations: 1, gradientNorm: 0 });
    expect(result.x).toBeAllclose([0, 1]);
  });

  it('is done at once at the minimum, and on a constant', async () => {
    const parabola = diagonalQuadratic([1, 2]);
    const constant = (x: Float64Array) => ({ value: 3, gradient: new Float64Array(x.length) });
    for (const objective of [parabola.evaluate, constant]) {
      const result = await minimize(objective, new Float64Array(2));
      expect(result).toMatchObject({ stopReason: 'converged', iterations: 0, evaluations: 1 });
    }
  });

  it('works with a single pair', async () => {
    const problem = extendedRosenbrock(4);
    const result = await minimize(problem, problem.start, { method: lbfgs({ memory: 1 }), tolerance: 1e-6 });
    expect(result.stopReason).toBe('converged');
    expect(result.x).toBeAllclose([1, 1, 1, 1], { rtol: 1e-4 });
  });

  it('goes back from where the function is not finite', async () => {
    // -log x + x has its minimum at 1 and is not defined at 0 and below.
    const visited: number[] = [];
    const objective = (x: Float64Array) => {
      visited.push(x[0]);
      return { value: x[0] - Math.log(x[0]), gradient: Float64Array.of(1 - 1 / x[0]) };
    };
    const values: number[] = [];
    const result = await minimize(objective, Float64Array.of(5), {
      method: lbfgs({ firstStep: 50 }),
      tolerance: 1e-8,
      onStep: ({ value }) => void values.push(value),
    });
    expect(visited.some((x) => x <= 0)).toBe(true);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(result.x[0]).toBeCloseTo(1, 6);
  });

  it('goes back from where only the gradient is not finite', async () => {
    const objective = ([x]: Float64Array) => ({
      value: x * x,
      gradient: Float64Array.of(x < -1 ? Number.NaN : 2 * x),
    });
    const result = await minimize(objective, Float64Array.of(4), {
      method: lbfgs({ firstStep: 20 }),
      tolerance: 1e-9,
    });
    expect(result.x[0]).toBeCloseTo(0, 8);
  });

  it('finds its way with a history that nonconvexity would spoil', async () => {
    // cos has negative curvature at the start; the minimum ahead is at pi.
    const objective = ([x]: Float64Array) => ({
      value: Math.cos(x),
      gradient: Float64Array.of(-Math.sin(x)),
    });
    const result = await minimize(objective, Float64Array.of(0.1), { tolerance: 1e-9 });
    expect(result.stopReason).toBe('converged');
    expect(result.value).toBeCloseTo(-1, 12);
  });

  it('says that it stalled where the gradient points the wrong way', async () => {
    const objective = ([x]: Float64Array) => ({ value: x * x, gradient: Float64Array.of(-2 * x) });
    const result = await minimize(objective, Float64Array.of(1));
    expect(result.stopReason).toBe('stalled');
    expect(result).toMatchObject({ value: 1, iterations: 0 });
  });

  it('needs few evaluations for an ill-conditioned quadratic if the preconditioner is its inverse', async () => {
    const curvatures = Array.from({ length: 50 }, (_, i) => 10 ** (i / 10));
    const problem = diagonalQuadratic(curvatures);
    const preconditioner = { apply: (v: Float64Array) => v.map((component, i) => component / curvatures[i]) };
    const evaluations = async (method = lbfgs<Float64Array>()) =>
      (await minimize(problem, problem.start, { method, tolerance: 1e-6 })).evaluations;
    // P times the Hessian is the identity: one step finds its length, the next the minimum.
    expect(await evaluations(lbfgs({ preconditioner }))).toBeLessThanOrEqual(5);
    expect(await evaluations()).toBeGreaterThan(30);
  });

  it('rejects options that make no sense', () => {
    expect(() => lbfgs({ memory: 0 })).toThrow(/memory is 0/);
    expect(() => lbfgs({ firstStep: Number.NaN })).toThrow(/firstStep is NaN/);
    expect(() => lbfgs({ preconditioner: {} as never })).toThrow(/preconditioner/);
    expect(() => lbfgs({ memry: 3 } as object)).toThrow(/did you mean 'memory'/);
  });
});
