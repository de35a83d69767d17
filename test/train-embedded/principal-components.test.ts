import { describe, expect, it } from 'vitest';
import { principalComponents } from '../../scripts/train-embedded/principal-components';
import { Random } from '../../src/random';
import '../support/to-be-allclose';

/** H diag(values) H with the reflection H = I - 2 v v' / v'v: its eigenvectors are the columns of H. */
function known(values: readonly number[]) {
  const width = values.length;
  const random = new Random(3);
  const v = Array.from({ length: width }, () => random.normal());
  const squared = v.reduce((sum, value) => sum + value * value, 0);
  const h = (i: number, j: number) => (i === j ? 1 : 0) - (2 * v[i] * v[j]) / squared;
  const matrix = Float64Array.from({ length: width * width }, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    return values.reduce((sum, value, k) => sum + h(i, k) * value * h(j, k), 0);
  });
  return { matrix, vector: (k: number) => Array.from({ length: width }, (_, i) => h(i, k)) };
}

describe('principalComponents', () => {
  const values = Array.from({ length: 60 }, (_, k) => 100 * 0.8 ** k);
  const { matrix, vector } = known(values);
  const { variances, directions } = principalComponents(matrix, 60, 12);

  it('finds the largest eigenvalues, in order', () => {
    expect(variances).toBeAllclose(values.slice(0, 12), { rtol: 1e-8 });
  });

  it('finds their vectors, up to sign', () => {
    for (const k of [0, 1, 5, 11]) {
      const found = Array.from({ length: 60 }, (_, i) => directions[i * 12 + k]);
      const cosine = vector(k).reduce((sum, value, i) => sum + value * found[i], 0);
      expect(Math.abs(cosine)).toBeCloseTo(1, 8);
    }
  });

  it('finds all of a small matrix', () => {
    const all = principalComponents(Float64Array.of(2, 1, 1, 2), 2, 2);
    expect(all.variances).toBeAllclose([3, 1], { rtol: 1e-12 });
    expect(Math.abs(all.directions[0])).toBeCloseTo(Math.SQRT1_2, 12);
    expect(all.directions[0]).toBeCloseTo(all.directions[2], 12);
    expect(all.directions[1]).toBeCloseTo(-all.directions[3], 12);
  });

  it('gives no negative variances where the matrix has no more rank', () => {
    const { variances } = principalComponents(Float64Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0), 3, 3);
    expect(variances).toBeAllclose([4, 0, 0], { atol: 1e-12 });
    expect(Math.min(...variances)).toBeGreaterThanOrEqual(0);
  });
});
