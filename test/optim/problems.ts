/** A smooth function with its gradient and where to start from. */
export interface Problem {
  readonly start: Float64Array;
  evaluate(x: Float64Array): { value: number; gradient: Float64Array };
}

/** Sums a function of consecutive groups of `width` components; `add` adds its gradient into `gradient` at `offset`. */
function grouped(
  x: Float64Array,
  width: number,
  add: (group: Float64Array, gradient: Float64Array) => number,
): { value: number; gradient: Float64Array } {
  const gradient = new Float64Array(x.length);
  let value = 0;
  for (let i = 0; i < x.length; i += width)
    value += add(x.subarray(i, i + width), gradient.subarray(i, i + width));
  return { value, gradient };
}

const repeated = (length: number, pattern: readonly number[]): Float64Array =>
  Float64Array.from({ length }, (_, i) => pattern[i % pattern.length]);

/** Moré, Garbow & Hillstrom 1981, problem 21. */
export const extendedRosenbrock = (n: number): Problem => ({
  start: repeated(n, [-1.2, 1]),
  evaluate: (x) =>
    grouped(x, 2, ([a, b], g) => {
      const valley = b - a * a;
      g.set([-400 * a * valley - 2 * (1 - a), 200 * valley]);
      return 100 * valley ** 2 + (1 - a) ** 2;
    }),
});

/** Moré, Garbow & Hillstrom 1981, problem 5. */
export const beale: Problem = {
  start: Float64Array.of(1, 1),
  evaluate: (x) =>
    grouped(x, 2, ([a, b], g) =>
      [1.5, 2.25, 2.625].reduce((sum, target, k) => {
        const residual = target - a * (1 - b ** (k + 1));
        g[0] -= 2 * residual * (1 - b ** (k + 1));
        g[1] += 2 * residual * a * (k + 1) * b ** k;
        return sum + residual ** 2;
      }, 0),
    ),
};

/** Moré, Garbow & Hillstrom 1981, problem 14. */
export const wood: Problem = {
  start: Float64Array.of(-3, -1, -3, -1),
  evaluate: (x) =>
    grouped(x, 4, ([a, b, c, d], g) => {
      const [first, second] = [b - a * a, d - c * c];
      g.set([
        -400 * a * first - 2 * (1 - a),
        200 * first + 20 * (b + d - 2) + 0.2 * (b - d),
        -360 * c * second - 2 * (1 - c),
        180 * second + 20 * (b + d - 2) - 0.2 * (b - d),
      ]);
      return (
        100 * first ** 2 +
        (1 - a) ** 2 +
        90 * second ** 2 +
        (1 - c) ** 2 +
        10 * (b + d - 2) ** 2 +
        0.1 * (b - d) ** 2
      );
    }),
};

/** Moré, Garbow & Hillstrom 1981, problem 22. */
export const extendedPowell = (n: number): Problem => ({
  start: repeated(n, [3, -1, 0, 1]),
  evaluate: (x) =>
    grouped(x, 4, ([a, b, c, d], g) => {
      const [p, q, r, s] = [a + 10 * b, c - d, b - 2 * c, a - d];
      g.set([2 * p + 40 * s ** 3, 20 * p + 4 * r ** 3, 10 * q - 8 * r ** 3, -10 * q - 40 * s ** 3]);
      return p ** 2 + 5 * q ** 2 + r ** 4 + 10 * s ** 4;
    }),
});

/** Moré, Garbow & Hillstrom 1981, problem 26, started from 1/n. */
export const trigonometric = (n: number): Problem => ({
  start: new Float64Array(n).fill(1 / n),
  evaluate(x) {
    const cosines = x.map(Math.cos);
    const total = cosines.reduce((sum, cosine) => sum + cosine, 0);
    const residual = x.map((component, i) => n - total + (i + 1) * (1 - cosines[i]) - Math.sin(component));
    const sum = residual.reduce((a, b) => a + b, 0);
    const gradient = x.map(
      (component, i) =>
        2 * (sum * Math.sin(component) + residual[i] * ((i + 1) * Math.sin(component) - cosines[i])),
    );
    return { value: residual.reduce((a, b) => a + b * b, 0), gradient };
  },
});

/** 1/2 sum of curvatures[i] * x[i]^2, from all ones. */
export const diagonalQuadratic = (curvatures: readonly number[]): Problem => ({
  start: new Float64Array(curvatures.length).fill(1),
  evaluate: (x) => ({
    value: x.reduce((sum, component, i) => sum + 0.5 * curvatures[i] * component ** 2, 0),
    gradient: x.map((component, i) => curvatures[i] * component),
  }),
});

/** The problems of `reference/lbfgs.json` by its names. */
export const referenceProblems: Readonly<Record<string, Problem>> = {
  extended_rosenbrock_2: extendedRosenbrock(2),
  extended_rosenbrock_100: extendedRosenbrock(100),
  beale,
  wood,
  extended_powell_100: extendedPowell(100),
  trigonometric_50: trigonometric(50),
  quadratic_cond1e4_1000: diagonalQuadratic(Array.from({ length: 1000 }, (_, i) => 10 ** ((4 * i) / 999))),
};
