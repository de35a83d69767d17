import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { adam, lbfgs, minimize, type StopWhen } from '../../src/optim';
import { littleGain, readStopWhen } from '../../src/optim/stop-rule';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The iteration at which the rule ends a run of these values, the start's first; undefined if it never does. */
function endOf(values: readonly number[], stopWhen: StopWhen, monotone: boolean): number | undefined {
  const ends = littleGain(readStopWhen(stopWhen), monotone);
  const found = values.findIndex((value) => ends(value));
  return found < 0 ? undefined : found;
}

/** 100, 100 q, 100 q^2, ... */
const geometric = (factor: number, count: number) =>
  Array.from({ length: count }, (_, i) => 100 * factor ** i);

describe('stopWhen', () => {
  it('ends a run of falling values once `over` iterations gain less than `improvement`', () => {
    // 0.99^10 = 0.904 and 0.9999^10 = 0.999: falls of 9.6 % and 0.1 % over ten iterations.
    expect(endOf(geometric(0.99, 200), { improvement: 0.09, over: 10 }, true)).toBeUndefined();
    expect(endOf(geometric(0.99, 200), { improvement: 0.1, over: 10 }, true)).toBe(10);
    // From 50 on, iterations 5 and 6 gain nothing.
    const steps = [100, 90, 80, 60, 50, 50, 50, 20];
    expect(endOf(steps, { improvement: 0.001, over: 2 }, true)).toBe(6);
    expect(endOf(steps, { improvement: 0.001, over: 3 }, true)).toBeUndefined();
  });

  it('judges negative values by their magnitude, and ends at 0', () => {
    // From -100 by 0.05 a step: 0.5 over ten steps, a part of 0.005.
    const falling = Array.from({ length: 40 }, (_, i) => -100 - 0.05 * i);
    expect(endOf(falling, { improvement: 0.004 }, true)).toBeUndefined();
    expect(endOf(falling, { improvement: 0.006 }, true)).toBe(10);
    expect(endOf([0, 0, 0, 0], { over: 3 }, true)).toBe(3);
  });

  it('lets a method whose values rise first, such as Adam, come down again', () => {
    // 100, then a rise to 200 that takes twelve iterations to come down to 100 again, and below.
    const values = [100, ...Array.from({ length: 40 }, (_, i) => 200 - 8 * i)];
    expect(values[13]).toBeGreaterThan(100);
    expect(endOf(values, {}, true)).toBe(10);
    expect(endOf(values, {}, false)).toBeUndefined();
  });

  it('ends a run that swings about a level without getting lower', () => {
    const values = [100, 60, ...Array.from({ length: 60 }, (_, i) => 50 + 5 * (-1) ** i)];
    const end = endOf(values, {}, false);
    expect(end).toBeGreaterThanOrEqual(19);
    expect(end).toBeLessThanOrEqual(22);
  });

  it('never ends a run of a noisy method that still gets lower on average', () => {
    // The lowest of every ten is 10 % below that of the ten before.
    const values = geometric(0.99, 300).map((value, i) => value * (i % 5 === 0 ? 0.9 : 1));
    expect(endOf(values, { improvement: 0.05 }, false)).toBeUndefined();
  });

  it.each([
    ['lbfgs', lbfgs()],
    ['adam', adam({ learningRate: 0.3 })],
  ])('ends minimize with %s, which would go on without it', async (_, method) => {
    // Powell's singular function of two variables, whose minimum is approached ever more slowly.
    const objective = ([x, y]: Float64Array) => ({
      value: 1 + (x - 1) ** 4 + 0.5 * (x - y) ** 4,
      gradient: Float64Array.of(4 * (x - 1) ** 3 + 2 * (x - y) ** 3, -2 * (x - y) ** 3),
    });
    const start = Float64Array.of(-4, 7);
    const options = { method, tolerance: 0, maxIterations: 500 } as const;
    const found = await minimize(objective, start, { ...options, stopWhen: { improvement: 0.01, over: 5 } });
    expect(found.stopReason).toBe('stopWhen');
    expect(found.value).toBeLessThan(1.5);
    const full = await minimize(objective, start, options);
    expect(full.stopReason).not.toBe('stopWhen');
    expect(full.iterations).toBeGreaterThan(found.iterations);
  });

  it.each([
    [{ improvement: 0 }, 'stopWhen.improvement is 0'],
    [{ improvement: 1 }, 'stopWhen.improvement is 1'],
    [{ over: 0 }, 'stopWhen.over is 0'],
    [{ over: 2.5 }, 'stopWhen.over is 2.5'],
    [{ ofer: 3 }, "did you mean 'over'?"],
    [0.001, 'stopWhen is 0.001; accepted: { improvement, over }'],
  ])('refuses %j', async (stopWhen, message) => {
    const run = minimize(
      ([x]: Float64Array) => ({ value: x, gradient: Float64Array.of(1) }),
      Float64Array.of(1),
      {
        stopWhen: stopWhen as StopWhen,
      },
    );
    await expect(run).rejects.toThrow(message);
  });
});
