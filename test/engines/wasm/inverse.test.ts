import { afterAll, describe, expect, it } from 'vitest';
import { inverseRootTerms } from '../../../src/engines/wasm/losses/inverse-root';
import { KernelRunner } from '../../../src/engines/wasm/runtime/kernel-runner';

const engine = await KernelRunner.create({ threads: 2 });
afterAll(() => engine.dispose());
const pad = 16;

/** A positive definite matrix [n][n] with eigenvalues from 1 to `largest`: reflections of a diagonal one. */
function positiveDefinite(n: number, largest: number, seed: number): Float64Array {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = largest ** (i / (n - 1));
  for (let times = 0; times < 3; times++) {
    const v = Float64Array.from({ length: n }, random);
    const size = v.reduce((sum, x) => sum + x * x, 0);
    // H A H with H = I - 2 v v^T / |v|^2
    for (const [step, next] of [
      [n, 1],
      [1, n],
    ])
      for (let a = 0; a < n; a++) {
        let product = 0;
        for (let b = 0; b < n; b++) product += matrix[a * step + b * next] * v[b];
        for (let b = 0; b < n; b++) matrix[a * step + b * next] -= (2 * product * v[b]) / size;
      }
  }
  return matrix;
}

describe('inverses of positive definite matrices', () => {
  it.each([
    // The inverse itself is stored in floats, which its entries' products with large ones show.
    ['doubles', 8, 1e2, 1e-5],
    ['doubles', 40, 1e2, 1e-5],
    ['doubles', 104, 1e4, 1e-3],
    ['floats', 8, 1e2, 1e-4],
    ['floats', 40, 1e2, 1e-4],
    ['floats', 104, 1e4, 1e-2],
  ] as const)(
    'in %s, of %i rows, condition %f, times the matrix are the identity',
    (numbers, n, largest, error) => {
      const { memory } = engine;
      const shifts = [0, 0.5, 7];
      const [first, second] = [positiveDefinite(n, largest, 1), positiveDefinite(n, largest, 2)];
      const [a, b] = [first, second].map((matrix) => memory.put(Float32Array.from(matrix)));
      const [factors, inverses, sums] = [3, 3 * n * (n + pad), n * n].map((length) =>
        memory.allocateFloats(length),
      );
      memory.floats(factors, 3).set(shifts);
      engine.needScratch(8 * (n * (n + pad) + 2 * 32 * (n + 32)));
      engine.run('invertPositive', [a, b, n, factors, inverses, numbers === 'doubles' ? 3 : 0], 3);
      for (const [item, shift] of shifts.entries()) {
        const found = memory.floats(inverses + 4 * item * n * (n + pad), n * (n + pad));
        const entry = (i: number, j: number) => found[i > j ? i * (n + pad) + j : j * (n + pad) + i];
        let worst = 0;
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            let product = i === j ? -1 : 0;
            for (let k = 0; k < n; k++)
              product +=
                Math.fround(Math.fround(first[i * n + k]) + shift * Math.fround(second[i * n + k])) *
                entry(k, j);
            worst = Math.max(worst, Math.abs(product));
          }
        expect(worst).toBeLessThan(error);
      }
      memory.floats(factors, 3).set([1, -2, 0.5]);
      engine.run('sumInverses', [inverses, 3, n, factors, sums], n / 8);
      const each = [0, 1, 2].map((item) => memory.floats(inverses + 4 * item * n * (n + pad), n * (n + pad)));
      const sum = memory.floats(sums, n * n);
      const at = (n - 1) * (n + pad) + 2;
      expect(sum[(n - 1) * n + 2] / (each[0][at] - 2 * each[1][at] + 0.5 * each[2][at])).toBeCloseTo(1, 4);
      for (const address of [a, b, factors, inverses, sums]) memory.release(address);
    },
  );
});

it('ten terms give the inverse root over ten powers of ten', () => {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (let power = -10; power <= 0; power += 0.01) {
    const x = 10 ** power;
    const ratio =
      Math.sqrt(x) * inverseRootTerms.reduce((sum, [shift, weight]) => sum + weight / (x + shift), 0);
    [least, most] = [Math.min(least, ratio), Math.max(most, ratio)];
  }
  expect(least).toBeGreaterThan(1 - 1.95e-3);
  expect(most).toBeLessThan(1 + 1.95e-3);
});
