import { describe, expect, it } from 'vitest';
import { startLineSearch } from '../../src/optim/line-search';

interface Path {
  value(t: number): number;
  slope(t: number): number;
}

/** Runs a search along a path and tells the steps that it tried, the last being the one that it ended with. */
function search(path: Path, step: number, bounded = false): { steps: number[]; state: string } {
  const start = path.slope(0);
  const line = startLineSearch({ slope: start, step, bounded });
  const steps: number[] = [];
  for (;;) {
    const t = line.step;
    steps.push(t);
    const state = line.report({
      change: path.value(t) - path.value(0),
      slope: path.slope(t),
      predicted: t * start,
    });
    if (state !== 'continue') return { steps, state };
  }
}

/** Moré & Thuente 1994, (5.1): phi(t) = -t / (t^2 + 2); its minimum is at sqrt(2). */
const rational: Path = {
  value: (t) => -t / (t * t + 2),
  slope: (t) => (t * t - 2) / (t * t + 2) ** 2,
};

/** Moré & Thuente 1994, (5.2): phi(t) = (t + 0.004)^5 - 2 (t + 0.004)^4. */
const polynomial: Path = {
  value: (t) => (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
  slope: (t) => 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3,
};

/** Yanai, Ozawa & Kaneko 1981, as Moré & Thuente 1994, (5.4), use it: convex, with kinks rounded by beta1 and beta2. */
const rounded = (beta1: number, beta2: number): Path => {
  const gamma = (beta: number) => Math.sqrt(1 + beta * beta) - beta;
  return {
    value: (t) => gamma(beta1) * Math.hypot(1 - t, beta2) + gamma(beta2) * Math.hypot(t, beta1),
    slope: (t) =>
      (-gamma(beta1) * (1 - t)) / Math.hypot(1 - t, beta2) + (gamma(beta2) * t) / Math.hypot(t, beta1),
  };
};

describe('the line search', () => {
  const paths: [string, Path][] = [
    ['(5.1)', rational],
    ['(5.4) with 0.001, 0.001', rounded(0.001, 0.001)],
    ['(5.4) with 0.01, 0.001', rounded(0.01, 0.001)],
    ['(5.4) with 0.001, 0.01', rounded(0.001, 0.01)],
  ];
  const starts = [1e-3, 1e-1, 1e1, 1e3];

  it.each(paths.flatMap(([name, path]) => starts.map((step) => [name, step, path] as const)))(
    "meets both conditions on Moré and Thuente's function %s from a first step of %s",
    (_, firstStep, path) => {
      const { steps, state } = search(path, firstStep);
      const t = steps[steps.length - 1];
      expect(state).toBe('accepted');
      expect(path.value(t)).toBeLessThanOrEqual(path.value(0) + 1e-4 * t * path.slope(0));
      expect(Math.abs(path.slope(t))).toBeLessThanOrEqual(0.9 * Math.abs(path.slope(0)));
      expect(steps.length).toBeLessThanOrEqual(10);
    },
  );

  it('ends once its bracket is narrow, where the path is so flat at the start that the slope cannot be matched', () => {
    const { steps, state } = search(polynomial, 0.1);
    const lowest = Math.min(...steps.map(polynomial.value));
    expect(state).toBe('exhausted');
    expect(steps.length).toBeLessThanOrEqual(10);
    // The minimum lies at 1.6 - 0.004, at 1.6^5 - 2 * 1.6^4.
    expect(lowest).toBeLessThan(0.9 * (1.6 ** 5 - 2 * 1.6 ** 4));
  });

  it('takes the minimum of a parabola that it has overshot at its second trial', () => {
    const path: Path = { value: (t) => (t - 1) ** 2, slope: (t) => 2 * (t - 1) };
    const { steps } = search(path, 4);
    expect(steps[0]).toBe(4);
    expect(steps[1]).toBeCloseTo(1, 12);
  });

  it('stays below a step where the function is not finite', () => {
    const path: Path = { value: (t) => (t < 1 ? -t : Number.NaN), slope: (t) => (t < 1 ? -1 : Number.NaN) };
    const { steps } = search(path, 5);
    expect(steps[1]).toBeCloseTo(0.5);
    // No step comes back to the smallest one that failed.
    steps.forEach((t, i) => {
      const failed = steps.slice(0, i).filter((earlier) => earlier >= 1);
      expect(t).toBeLessThan(Math.min(...failed, Number.POSITIVE_INFINITY));
    });
  });

  it('accepts any step of sufficient decrease with a rising slope where bounds bend the path', () => {
    const kinked: Path = { value: (t) => (t < 1 ? -t : -1), slope: (t) => (t < 1 ? -1 : 50) };
    expect(search(kinked, 1, true)).toEqual({ steps: [1], state: 'accepted' });
  });

  it('gives up where nothing descends', () => {
    const path: Path = { value: (t) => t, slope: (t) => (t === 0 ? -1 : 1) };
    expect(search(path, 1).state).toBe('exhausted');
  });
});
