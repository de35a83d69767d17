import { describe, expect, it } from 'vitest';
import { adam, minimize } from '../../src/optim';
import '../support/to-be-allclose';
import { diagonalQuadratic } from './problems';

describe('adam', () => {
  const problem = diagonalQuadratic([1, 10]);

  it('takes the steps of the paper', async () => {
    const path: number[][] = [];
    await minimize(problem, problem.start, {
      method: adam({ learningRate: 0.1, beta1: 0.5, beta2: 0.75, epsilon: 1e-8 }),
      maxIterations: 2,
      onStep: ({ x }) => path.push([...x]),
    });
    // The first step is the rate against the sign of the gradient (1, 10), whatever its size: x = (0.9, 0.9).
    // Second, gradient (0.9, 9): m = 0.5 * 0.5 g0 + 0.5 * g1 = (0.7, 7), / (1 - 0.25) = (0.9333, 9.3333);
    // v = 0.75 * 0.25 g0^2 + 0.25 g1^2 = (0.39, 39), / (1 - 0.5625) = (0.891429, 89.1429); 0.93333 / sqrt(0.891429) =
    // 0.988538.
    expect(path[1]).toBeAllclose([0.9, 0.9], { rtol: 1e-7 });
    expect(path[2]).toBeAllclose([0.8011462, 0.8011462], { rtol: 1e-6 });
  });

  it('converges, and returns the lowest point it has seen', async () => {
    const values: number[] = [];
    const result = await minimize(problem, problem.start, {
      method: adam({ learningRate: 0.3 }),
      maxIterations: 60,
      onStep: ({ value }) => values.push(value),
    });
    expect(result.value).toBe(Math.min(...values));
    expect(problem.evaluate(result.x).value).toBe(result.value);
    expect(result.value).toBeLessThan(0.01);
    // It overshoots, so that the last point need not be the lowest.
    expect(values).not.toEqual([...values].sort((a, b) => b - a));
  });

  it('stays in the box', async () => {
    const result = await minimize(problem, problem.start, {
      method: adam({ learningRate: 0.1 }),
      bounds: [0.25, 2],
      tolerance: 1e-9,
      onStep: ({ x }) => {
        expect(x.every((component) => component >= 0.25)).toBe(true);
      },
    });
    expect(result.x).toBeAllclose([0.25, 0.25]);
    expect(result.stopReason).toBe('converged');
  });

  it('goes back from where the function is not finite, with half the rate', async () => {
    const objective = ([x]: Float64Array) => ({
      value: x < 0 ? Number.NaN : x,
      gradient: Float64Array.of(1),
    });
    const steps: number[] = [];
    const result = await minimize(objective, Float64Array.of(1), {
      method: adam({ learningRate: 0.75 }),
      maxIterations: 3,
      onStep: ({ step }) => steps.push(step),
    });
    // 1 -> 0.25; -0.5 is out; with half the rate -0.125 is out too; with a quarter of it 0.0625.
    expect(steps.slice(0, 3)).toEqual([0, 0.75, 0.1875]);
    expect(result.x[0]).toBeLessThanOrEqual(0.0625 + 1e-6);
    expect(result.x[0]).toBeGreaterThanOrEqual(0);
  });

  it('stalls where no neighbour is finite', async () => {
    const objective = ([x]: Float64Array) => ({
      value: x === 1 ? 0 : Number.NaN,
      gradient: Float64Array.of(1),
    });
    const result = await minimize(objective, Float64Array.of(1), { method: adam() });
    expect(result).toMatchObject({ stopReason: 'stalled', value: 0, iterations: 0 });
  });

  it('rejects options that make no sense', () => {
    expect(() => adam({ learningRate: 0 })).toThrow(/learningRate is 0/);
    expect(() => adam({ beta1: 1 })).toThrow(/beta1 is 1/);
    expect(() => adam({ beta2: -0.1 })).toThrow(/beta2 is -0.1/);
    expect(() => adam({ rate: 0.1 } as object)).toThrow(/adam has no option 'rate'/);
  });
});
