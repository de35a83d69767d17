import type { Work } from '../image/in-turns';

/** A distribution of numbers. */
export interface Quantiles {
  /** The different values, ascending. */
  readonly values: Float64Array;
  /** The fraction of numbers below each value, with half of those equal to it, ascending in (0, 1). */
  readonly levels: Float64Array;
}

/**
 * The distribution of numbers. With half of the equal numbers counted, a value that occurs often represents the middle
 * of its range of quantiles: the only value of a flat image is its median.
 *
 * @param numbers at least one; sorted in place
 */
export function* quantilesOf(numbers: Float64Array): Work<Quantiles> {
  numbers.sort();
  yield;
  const values = new Float64Array(numbers.length);
  const levels = new Float64Array(numbers.length);
  let found = 0;
  for (let first = 0, next = 0; first < numbers.length; first = next) {
    while (next < numbers.length && numbers[next] === numbers[first]) next++;
    values[found] = numbers[first];
    levels[found] = (first + next) / 2 / numbers.length;
    found++;
  }
  return { values: values.subarray(0, found), levels: levels.subarray(0, found) };
}

/**
 * The monotone map from one distribution to another: from a value to the value of equal level, linear between both
 * distributions' values, constant beyond their ends. From a distribution to itself it is the identity, to the bit.
 */
export function monotoneMap(from: Quantiles, to: Quantiles): (x: number) => number {
  const knots = from.values;
  const images = Float64Array.from(from.levels, interpolation(to.levels, to.values));
  return interpolation(knots, images);
}

/** The piecewise linear function through points, constant beyond the ends. @param xs strictly ascending */
function interpolation(xs: Float64Array, ys: Float64Array): (x: number) => number {
  const last = xs.length - 1;
  const [start, end] = [xs[0], xs[last]];
  // The index of the last knot at or below the start of each of equal cells, between which the search is short.
  const cells = xs.length;
  const perUnit = last === 0 ? 0 : (cells - 1) / (end - start);
  const below = new Uint32Array(cells + 1).fill(last);
  for (let cell = 0, k = 0; cell < cells; cell++) {
    while (k < last && (xs[k + 1] - start) * perUnit <= cell) k++;
    below[cell] = k;
  }
  return (x) => {
    if (x <= start) return ys[0];
    if (x >= end) return ys[last];
    const cell = Math.floor((x - start) * perUnit);
    let [low, high] = [below[cell], below[cell + 1] + 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle;
      else high = middle;
    }
    if (xs[low] === x) return ys[low];
    return ys[low] + ((ys[low + 1] - ys[low]) * (x - xs[low])) / (xs[low + 1] - xs[low]);
  };
}
