import { number, optionTable } from '../options/table';
import type { Position } from './method';

/**
 * When a run counts as converged. A tolerance of 0 is off. A gradient of exactly 0 always ends a run: no method can go
 * on from there.
 */
export interface Tolerance {
  /**
   * Largest magnitude of a component of x - project(x - gradient), in units of the objective; without bounds that is
   * the gradient itself.
   * @default relative, so that units do not matter: the run ends when moving once more the distance from the start
   *   would gain, to first order, less than a millionth of the decrease so far
   */
  readonly gradient?: number;
  /**
   * Change of the value over ten iterations, relative to its magnitude. Methods whose values only fall are judged by
   * the lowest value; with other methods, such as Adam, all values of the ten iterations have to lie within the
   * tolerance.
   * @default 1e-9
   */
  readonly decrease?: number;
}

const toleranceOptions = optionTable<Tolerance>()('tolerance', {
  gradient: number({ min: 0 }),
  decrease: number({ min: 0, default: 1e-9 }),
});

/** Checks a tolerance and fills it in. A number is the tolerance of the gradient; the number 0 switches both off. */
export function readTolerance(given: number | Tolerance) {
  const record = typeof given === 'number' ? { gradient: given, ...(given === 0 && { decrease: 0 }) } : given;
  return toleranceOptions.read(record, 'tolerance');
}

/**
 * Makes a function that observes each step of a run and returns true once it has converged.
 *
 * @param size number of components of x
 * @param monotone whether the method's values only fall
 */
export function convergence(
  { gradient, decrease }: ReturnType<typeof readTolerance>,
  size: number,
  monotone: boolean,
): (position: Position<unknown>) => boolean {
  const values: number[] = [];
  let first: number | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  let path = 0;
  return ({ value, gradientNorm, freeNorm, moved }) => {
    first ??= value;
    lowest = Math.min(lowest, value);
    path += moved;
    if (gradientNorm === 0) return true;
    // By the inequality of Cauchy and Schwarz |g.s| <= size * max|g| * rms(s).
    const relative = size * freeNorm * path <= relativeGain * (first - lowest) && lowest < first;
    if (gradient === undefined ? relative : gradientNorm <= gradient) return true;

    values.push(monotone ? lowest : value);
    if (values.length > window + 1) values.shift();
    if (values.length <= window || decrease === 0) return false;
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return most - least <= decrease * Math.max(Math.abs(least), Math.abs(most));
  };
}

/**
 * Possible further decrease at which a run ends, as a fraction of its decrease so far; see {@link Tolerance.gradient}.
 */
const relativeGain = 1e-6;

/** Iterations over which a decrease is judged: one poor step is no sign of the end. */
const window = 10;
