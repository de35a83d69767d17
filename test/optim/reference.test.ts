import { describe, expect, it } from 'vitest';
import { lbfgs, minimize } from '../../src/optim';
import reference from '../reference/lbfgs.json';
import { referenceProblems } from './problems';

describe("SciPy's problems in double precision, 10 pairs, max |g| <= 1e-6", () => {
  it.each(Object.entries(reference.problems))('%s', async (name, scipy) => {
    const problem = referenceProblems[name];
    expect(problem.start.length).toBe(scipy.n);
    expect(problem.evaluate(problem.start).value / scipy.f0).toBeCloseTo(1, 8);

    const result = await minimize(problem, problem.start, {
      method: lbfgs({ memory: 10 }),
      tolerance: scipy.gtol_inf,
      maxIterations: 3000,
    });

    const { value, gradient } = problem.evaluate(result.x);
    expect(result.stopReason).toBe('converged');
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThanOrEqual(scipy.gtol_inf);
    expect(result.value).toBe(value);
    expect(Math.abs(value - scipy.scipy_fun)).toBeLessThan(1e-9);
    expect(result.evaluations).toBeLessThanOrEqual(1.5 * scipy.scipy_nfev);
  });
});
