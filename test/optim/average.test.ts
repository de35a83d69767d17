import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { loadVgg19 } from '../../src/engines';
import { contentLoss } from '../../src/losses';
import { createObjective } from '../../src/objective';
import { adam, lbfgs, minimize } from '../../src/optim';
import { expectNoLeak } from '../../src/testing';
import '../support/backends';
import { noise } from '../support/images';
import '../support/to-be-allclose';
import { diagonalQuadratic, extendedRosenbrock } from './problems';

const problem = diagonalQuadratic([1, 10]);

/** Mean of iterates by weights decay^(n - i), divided by their sum. */
function averageOf(path: readonly (readonly number[])[], decay: number): number[] {
  const weights = path.map((_, i) => decay ** (path.length - 1 - i));
  const total = weights.reduce((a, b) => a + b);
  return path[0].map((_, k) => path.reduce((sum, x, i) => sum + (weights[i] / total) * x[k], 0));
}

describe('average', () => {
  it.each([
    ['adam', adam({ learningRate: 0.1 })],
    ['lbfgs', lbfgs()],
  ])('of %s is the mean of start and steps by powers of the decay, with its own value', async (_, method) => {
    const path: number[][] = [];
    const rosenbrock = extendedRosenbrock(4);
    const { x, value, evaluations } = await minimize(rosenbrock, rosenbrock.start, {
      method,
      average: 0.7,
      maxIterations: 6,
      onStep: (step) => path.push([...step.x]),
    });
    expect(path).toHaveLength(7);
    expect(x).toBeAllclose(averageOf(path, 0.7), { rtol: 1e-12 });
    expect(value).toBe(rosenbrock.evaluate(x).value);
    const plain = await minimize(rosenbrock, rosenbrock.start, { method, maxIterations: 6 });
    expect(evaluations).toBe(plain.evaluations + 1);
  });

  it('of two points with decay 1/2 is a third of the first and two thirds of the second', async () => {
    // The first step of Adam is the rate: from (1, 1) to (0.7, 0.7).
    const options = { method: adam({ learningRate: 0.3 }), average: 0.5, maxIterations: 1 };
    const { x } = await minimize(problem, problem.start, options);
    expect(x).toBeAllclose([0.8, 0.8], { rtol: 1e-7 });
  });

  it('keeps an evaluation for itself, and of a start alone is the start', async () => {
    const method = adam({ learningRate: 0.1 });
    const run = (maxEvaluations: number) =>
      minimize(problem, problem.start, { method, average: 0.9, maxEvaluations });
    expect(await run(5)).toMatchObject({ evaluations: 5, iterations: 3, stopReason: 'maxEvaluations' });
    expect(await run(1)).toMatchObject({ evaluations: 1, iterations: 0, x: problem.start });
  });

  it('is in the box, whatever rounding does', async () => {
    const options = { method: adam({ learningRate: 0.5 }), average: 0.3, bounds: [0.1, 0.7] as const };
    const { x } = await minimize(problem, problem.start, { ...options, maxIterations: 40 });
    for (const component of x) expect(component).toBeGreaterThanOrEqual(0.1);
  });

  it('is the lowest point instead where the function is not finite at the average', async () => {
    // Two valleys with nothing between them.
    const objective = ([x]: Float64Array) => ({
      value: Math.abs(x) < 0.5 ? Number.NaN : (Math.abs(x) - 1) ** 2,
      gradient: Float64Array.of(x < 0 ? -10 : 10),
    });
    const { x, value } = await minimize(objective, Float64Array.of(1), {
      method: adam({ learningRate: 2 }),
      average: 0.99,
      maxIterations: 1,
    });
    expect(x[0]).not.toBeCloseTo(0);
    expect(value).toBeLessThan(0.1);
  });

  it('does not change what an interrupted run hands out: the lowest point', async () => {
    const seen: number[] = [];
    let handed: { value: number; x: Float64Array } | undefined;
    const stop = new Error('enough');
    const run = minimize(problem, problem.start, {
      method: adam({ learningRate: 0.3 }),
      average: 0.9,
      onStep: ({ value, iteration }) => {
        seen.push(value);
        if (iteration === 8) throw stop;
      },
      onInterrupted: ({ value, x }) => {
        handed = { value, x: x.slice() };
      },
    });
    await expect(run).rejects.toBe(stop);
    expect(handed?.value).toBe(Math.min(...seen));
    expect(problem.evaluate(handed?.x as Float64Array).value).toBe(handed?.value);
  });

  it('is refused from 1 on, and below 0', async () => {
    for (const average of [1, -0.1, Number.NaN])
      await expect(minimize(problem, problem.start, { average })).rejects.toMatchObject({
        option: 'average',
      });
  });

  it.each(['wasm', 'tfjs'] as const)(
    'of images in the vectors of the engine %s is that of tensors',
    async (engine) => {
      await tf.setBackend('wasm');
      const extractor = await loadVgg19({ weights: 'embedded', engine });
      const [content, start] = [noise(16, 20, 1), noise(16, 20, 2)];
      const loss = contentLoss(extractor.extract(content, ['conv2_2']));
      const objective = createObjective(extractor, loss, [16, 20]);
      const path: number[][] = [];
      const found = await expectNoLeak(() =>
        minimize(objective, start, {
          method: adam({ learningRate: 0.05 }),
          bounds: [0, 1],
          average: 0.6,
          maxIterations: 5,
          onStep: ({ x }) => path.push([...x.dataSync()]),
        }),
      );
      expect([...found.x.dataSync()]).toBeAllclose(averageOf(path, 0.6), { rtol: 1e-5, atol: 1e-6 });
      expect(found.value).toBeCloseTo(objective.evaluate(found.x).value.dataSync()[0], 6);
      objective.dispose();
      loss.dispose?.();
      extractor.dispose();
    },
  );
});
