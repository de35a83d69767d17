/** When a run counts as converged. */
export interface Tolerance {
  /**
   * Largest magnitude of a component of x - project(x - gradient); without bounds that is the gradient itself.
   * @default a millionth of what it is at the start, so that the unit of the objective does not matter
   */
  readonly gradient?: number;
  /**
   * Decrease of the lowest value over ten iterations, relative to its magnitude.
   * @default 1e-9
   */
  readonly decrease?: number;
}

/** Watches a run; answers true once it has converged. */
export function convergence(tolerance: Tolerance): (value: number, gradientNorm: number) => boolean {
  const { decrease = 1e-9 } = tolerance;
  let { gradient } = tolerance;
  const lowest: number[] = [];
  return (value, gradientNorm) => {
    gradient ??= 1e-6 * gradientNorm;
    lowest.push(Math.min(value, lowest.at(-1) ?? Number.POSITIVE_INFINITY));
    if (gradientNorm <= gradient) return true;
    if (lowest.length <= window) return false;
    const [before] = lowest.splice(0, 1);
    const now = lowest[lowest.length - 1];
    return before - now <= decrease * Math.max(Math.abs(before), Math.abs(now));
  };
}

/** Iterations over which a decrease is judged: one poor step is no sign of the end. */
const window = 10;
