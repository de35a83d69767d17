import { describe, expect, it } from 'vitest';
import { ComputationError, InvalidArgumentError } from '../../src/errors';
import { adam, lbfgs, type MinimizeStep, minimize } from '../../src/optim';
import { extendedRosenbrock } from './problems';

const problem = extendedRosenbrock(4);

describe.each([
  ['lbfgs', lbfgs()],
  ['adam', adam()],
] as const)('minimize by %s', (_, method) => {
  it('tells of the start and of every step', async () => {
    const steps: MinimizeStep<Float64Array>[] = [];
    const result = await minimize(problem, problem.start, {
      method,
      maxIterations: 5,
      onStep: (step) => steps.push({ ...step, x: step.x.slice() }),
    });
    expect(steps.map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(steps[0]).toMatchObject({ evaluations: 1, step: 0, x: problem.start });
    for (const { x, value, gradientNorm } of steps) {
      const there = problem.evaluate(x);
      expect(value).toBe(there.value);
      expect(gradientNorm).toBe(Math.max(...there.gradient.map(Math.abs)));
    }
    expect(result).toMatchObject({
      stopReason: 'maxIterations',
      iterations: 5,
      evaluations: steps[5].evaluations,
    });
  });

  it('asks the objective no more often than it may', async () => {
    for (let maxEvaluations = 1; maxEvaluations < 12; maxEvaluations++) {
      let asked = 0;
      const result = await minimize(
        (x: Float64Array) => {
          asked++;
          return problem.evaluate(x);
        },
        problem.start,
        { method, maxEvaluations },
      );
      expect(result).toMatchObject({ stopReason: 'maxEvaluations', evaluations: maxEvaluations });
      expect(asked).toBe(maxEvaluations);
      expect(result.value).toBe(problem.evaluate(result.x).value);
    }
  });

  it.each(['an error of the objective', 'the signal', 'an error of the callback'] as const)(
    'hands out its lowest point once if it is interrupted by %s, before it is rejected with the same',
    async (cause) => {
      const reason = new Error('enough');
      const controller = new AbortController();
      const values: number[] = [];
      const told: unknown[] = [];
      let late: { readonly x: Float64Array } | undefined;
      const fail = () => {
        throw reason;
      };
      const run = minimize(
        (x: Float64Array) => {
          if (cause === 'an error of the objective' && values.length === 5) fail();
          return problem.evaluate(x);
        },
        problem.start,
        {
          method,
          signal: controller.signal,
          onStep: ({ value }) => {
            values.push(value);
            if (values.length < 5) return;
            if (cause === 'the signal') controller.abort(reason);
            if (cause === 'an error of the callback') fail();
          },
          onInterrupted: async (best, why) => {
            await new Promise((resolve) => setTimeout(resolve, 1));
            late = best;
            told.push(why, best.value, problem.evaluate(best.x).value);
            expect(best.evaluations).toBeGreaterThanOrEqual(values.length);
          },
        },
      );
      await expect(run).rejects.toBe(reason);
      const lowest = Math.min(...values);
      expect(told).toEqual([reason, lowest, lowest]);
      expect(() => late?.x).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    },
  );

  it('has no lowest point to hand out before the first evaluation, nor after a run that was not interrupted', async () => {
    const onInterrupted = () => expect.unreachable();
    await expect(
      minimize(() => ({ value: Number.NaN, gradient: problem.start }), problem.start, {
        method,
        onInterrupted,
      }),
    ).rejects.toMatchObject({ code: 'NOT_FINITE' });
    await minimize(problem, problem.start, { method, maxIterations: 2, onInterrupted });
  });

  it('is rejected with the error of the callback that takes the lowest point', async () => {
    const run = minimize(problem, problem.start, {
      method,
      onStep: () => Promise.reject(new Error('first')),
      onInterrupted: () => Promise.reject(new Error('second')),
    });
    await expect(run).rejects.toThrow('second');
  });

  it('stops when the callback says so, and waits for it', async () => {
    const result = await minimize(problem, problem.start, {
      method,
      onStep: async ({ iteration }) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return iteration < 3;
      },
    });
    expect(result).toMatchObject({ stopReason: 'callback', iterations: 3 });
  });

  it('waits for objectives that take their time, and passes terms on', async () => {
    const result = await minimize(
      async (x: Float64Array) => {
        const { value, gradient } = problem.evaluate(x);
        return { value, gradient, terms: { half: value / 2, rest: value - value / 2 } };
      },
      problem.start,
      { method, maxIterations: 3 },
    );
    expect(result.terms).toEqual({ half: result.value / 2, rest: result.value / 2 });
  });

  it('rejects with the reason of an abort: before the start, and between evaluations', async () => {
    const reason = new Error('enough');
    let asked = 0;
    const counting = (x: Float64Array) => {
      asked++;
      return problem.evaluate(x);
    };
    await expect(
      minimize(counting, problem.start, { method, signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(asked).toBe(0);

    const controller = new AbortController();
    const aborting = (x: Float64Array) => {
      if (asked === 3) controller.abort(reason);
      return counting(x);
    };
    await expect(minimize(aborting, problem.start, { method, signal: controller.signal })).rejects.toBe(
      reason,
    );
    expect(asked).toBe(4);
  });

  it('lets timers run during a long minimisation, so that they can abort it', async () => {
    const slow = (x: Float64Array) => {
      const end = performance.now() + 10;
      while (performance.now() < end);
      return { value: x[0], gradient: Float64Array.of(1) };
    };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 0);
    const running = minimize(slow, Float64Array.of(0), {
      method,
      maxIterations: 500,
      signal: controller.signal,
    });
    await expect(running).rejects.toThrow(/abort/i);
  });

  it('passes on what the objective and the callback throw', async () => {
    const failure = new Error('failed');
    const failing = () => {
      throw failure;
    };
    await expect(minimize(failing, problem.start, { method })).rejects.toBe(failure);
    await expect(minimize(problem, problem.start, { method, onStep: failing })).rejects.toBe(failure);
  });

  it('cannot start where value or gradient is not finite', async () => {
    const nowhere = (x: Float64Array) => ({ value: Number.NaN, gradient: x.slice() });
    const steep = (x: Float64Array) => ({ value: 1, gradient: x.map(() => Number.POSITIVE_INFINITY) });
    for (const objective of [nowhere, steep]) {
      const error = await minimize(objective, problem.start, { method }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ComputationError);
      expect(error).toMatchObject({ code: 'NOT_FINITE', option: 'start' });
    }
  });

  it('starts from the nearest point of the box and leaves the start itself alone', async () => {
    const start = Float64Array.of(-7, 0.5, 9, 0.5);
    const xs: number[][] = [];
    await minimize(problem, start, {
      method,
      bounds: [0, 1],
      maxIterations: 0,
      onStep: ({ x }) => xs.push([...x]),
    });
    expect(xs).toEqual([[0, 0.5, 1, 0.5]]);
    expect([...start]).toEqual([-7, 0.5, 9, 0.5]);
  });

  it('allows an objective to use one array for all its gradients', async () => {
    const buffer = new Float64Array(4);
    const reusing = (x: Float64Array) => {
      const { value, gradient } = problem.evaluate(x);
      buffer.set(gradient);
      return { value, gradient: buffer };
    };
    const [fresh, reused] = await Promise.all(
      [problem, reusing].map((objective) =>
        minimize(objective, problem.start, { method, maxIterations: 20 }),
      ),
    );
    expect(reused).toEqual(fresh);
  });
});

describe('minimize', () => {
  it('judges the decrease over several iterations where a tolerance is given', async () => {
    // |x|^1.5 has ever smaller steps to go; a tenth in ten iterations is not much.
    const result = await minimize(problem, problem.start, {
      method: adam({ learningRate: 1e-6 }),
      tolerance: { decrease: 1e-3 },
    });
    expect(result).toMatchObject({ stopReason: 'converged', iterations: 10 });
  });

  it.each([
    ['objective', () => minimize({} as never, problem.start)],
    ['start', () => minimize(problem, [1, 2] as never)],
    ['start', () => minimize(problem, new Float64Array(0))],
    ['method', () => minimize(problem, problem.start, { method: 'lbfgs' as never })],
    ['bounds', () => minimize(problem, problem.start, { bounds: [1, 0] })],
    ['bounds', () => minimize(problem, problem.start, { bounds: 1 as never })],
    ['bounds[0]', () => minimize(problem, problem.start, { bounds: [new Float64Array(3), 1] })],
    ['bounds[1]', () => minimize(problem, problem.start, { bounds: [0, Number.NaN] })],
    [
      'bounds[0][2]',
      () => minimize(problem, problem.start, { bounds: [Float64Array.of(0, 0, Number.NaN, 0), 1] }),
    ],
    [
      'bounds[1][1]',
      () => minimize(problem, problem.start, { bounds: [0, Float64Array.of(1, Number.NaN, 1, 1)] }),
    ],
    ['bounds[0][3]', () => minimize(problem, problem.start, { bounds: [Float64Array.of(0, 0, 0, 2), 1] })],
    [
      'bounds[0][1]',
      () => minimize(problem, problem.start, { bounds: [new Float64Array(4), Float64Array.of(1, -1, 1, 1)] }),
    ],
    ['bounds[0]', () => minimize(problem, problem.start, { bounds: [Infinity, Infinity] })],
    ['maxIterations', () => minimize(problem, problem.start, { maxIterations: -1 })],
    ['maxIterations', () => minimize(problem, problem.start, { maxIterations: 1.5 })],
    ['tolerance.decrease', () => minimize(problem, problem.start, { tolerance: { decrease: Number.NaN } })],
    ['tolerance', () => minimize(problem, problem.start, { tolerance: 'tight' as never })],
    ['signal', () => minimize(problem, problem.start, { signal: {} as never })],
    ['onStep', () => minimize(problem, problem.start, { onStep: true as never })],
    ['objective', () => minimize((() => undefined) as never, problem.start)],
    [
      'objective',
      () => minimize((() => ({ value: '1', gradient: new Float64Array(4) })) as never, problem.start),
    ],
    ['maxEvaluations', () => minimize(problem, problem.start, { maxEvaluations: 0 })],
    ['tolerance.gradient', () => minimize(problem, problem.start, { tolerance: -1 })],
    ['maxiterations', () => minimize(problem, problem.start, { maxiterations: 3 } as object)],
    ['objective', () => minimize(() => ({ value: 1, gradient: new Float64Array(3) }), problem.start)],
  ])('rejects a wrong %s', async (option, call) => {
    const error = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error).toMatchObject({ option });
  });

  it('makes the point of a step when it is read, and only during the callback', async () => {
    const steps: MinimizeStep<Float64Array>[] = [];
    await minimize(problem, problem.start, {
      maxIterations: 2,
      onStep: (step) => {
        expect(step.x).toBe(step.x);
        steps.push(step);
      },
    });
    const unread: MinimizeStep<Float64Array>[] = [];
    await minimize(problem, problem.start, { maxIterations: 2, onStep: (step) => void unread.push(step) });
    expect(steps).toHaveLength(3);
    for (const { value } of unread) expect(value).toBeTypeOf('number');
    for (const step of [...steps, ...unread])
      expect(() => step.x).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });
});
