/** When a run counts as converged. */
export interface Tolerance {
  /**
   * Largest magnitude of a component of x - project(x - gradient); without bounds that is the gradient. In units of the objective.
   * @default 1e-6
   */
  readonly gradient?: number;
  /**
   * Decrease of the best value over the last ten iterations, relative to its magnitude.
   * @default 1e-9
   */
  readonly decrease?: number;
}

/** Watches the values of a run; true once it has converged. */
export function convergence({
  gradient = 1e-6,
  decrease = 1e-9,
}: Tolerance): (value: number, gradientNorm: number) => boolean {
  const best: number[] = [];
  return (value, gradientNorm) => {
    best.push(Math.min(value, best.at(-1) ?? Infinity));
    if (gradientNorm <= gradient) return true;
    if (best.length <= window) return false;
    const [before] = best.splice(0, 1);
    const now = best[best.length - 1];
    return before - now <= decrease * Math.max(Math.abs(before), Math.abs(now));
  };
}

/** Iterations over which a decrease is judged: one poor step is no sign of the end. */
const window = 10;
