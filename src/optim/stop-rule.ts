import { any, number, type Option, optionTable } from '../options/table';
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

/**
 * Ends a run that hardly gains any more: once the lowest value has fallen by less than the part `improvement` of its
 * magnitude over the last `over` iterations.
 *
 * With methods whose values do not fall at every step, such as Adam, the mean of the last `over` values must have
 * fallen by less than this part too, from the mean of as many before: a run that comes down from a rise, with values
 * above the lowest so far, goes on.
 */
export interface StopWhen {
  /**
   * Part of the lowest value's magnitude, between 0 and 1.
   * @default 0.001
   */
  readonly improvement?: number | undefined;
  /**
   * Iterations, 1 to 100000.
   * @default 10
   */
  readonly over?: number | undefined;
}

const stopWhenOptions = /* @__PURE__ */ optionTable<StopWhen>()('stopWhen', {
  improvement: number({ min: 0, max: 1, exclusive: true, default: 0.001 }),
  over: number({ min: 1, max: 100_000, integer: true, default: 10 }),
});

/** Checks a {@link StopWhen} and fills it in. @param path its name in messages */
export const readStopWhen = (given: StopWhen, path?: string) => stopWhenOptions.read(given, path);

const stopWhenAccepts = '{ improvement, over }, an improvement between 0 and 1 over a number of iterations';
const isRecord = /* @__PURE__ */ any<StopWhen>(stopWhenAccepts, () => false);

/** The option `stopWhen`: off by default. */
export const stopWhenOption: Option<StopWhen> & { readonly flag: string; readonly help: string } = {
  accepts: stopWhenAccepts,
  kind: 'stopWhen',
  flag: '--stop-when <improvement>',
  help: 'end a size once the loss falls by less than this part over 10 iterations, such as 0.001; 0.001:20 counts 20 (default: never)',
  require(name, value) {
    if (typeof value !== 'object' || value === null) isRecord.require(name, value);
    readStopWhen(value as StopWhen, name);
  },
};

/**
 * Makes a function that observes the value of each step of a run, the start's first, and returns true once the run
 * hardly gains any more.
 *
 * @param monotone whether the method's values only fall
 */
export function littleGain(
  { improvement, over }: ReturnType<typeof readStopWhen>,
  monotone: boolean,
): (value: number) => boolean {
  const values: number[] = [];
  const lowest: number[] = [];
  const little = (before: number, now: number) => before - now <= improvement * Math.abs(before);
  return (value) => {
    values.push(value);
    lowest.push(Math.min(lowest.at(-1) ?? value, value));
    // The start's value and those of two windows are the most that is looked at.
    if (values.length > 2 * over) values.shift();
    if (lowest.length > over + 1) lowest.shift();
    if (lowest.length <= over || !little(lowest[0], lowest[over])) return false;
    if (monotone) return true;
    return values.length === 2 * over && little(mean(values.slice(0, over)), mean(values.slice(over)));
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

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
