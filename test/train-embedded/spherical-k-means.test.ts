import { expect, it } from 'vitest';
import { directionsOfLongest, sphericalKMeans } from '../../scripts/train-embedded/spherical-k-means';
import { Random } from '../../src/random';
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

/** Directions near the axes of four dimensions, 100 each; an axis and its opposite are two clusters. */
function clusters() {
  const random = new Random(9);
  const axes = [0, 1, 2, 3].flatMap((axis) => [1, -1].map((sign) => ({ axis, sign })));
  const values = new Float32Array(800 * 4);
  for (let row = 0; row < 800; row++) {
    const { axis, sign } = axes[row % 8];
    for (let c = 0; c < 4; c++) values[4 * row + c] = (c === axis ? sign : 0) + random.normal(0, 0.05);
  }
  return { axes, rows: directionsOfLongest({ count: 800, width: 4, values }, 0) };
}

onEachBackend(() => {
  it('finds clusters that lie apart, opposite ones too', () => {
    const { axes, rows } = clusters();
    // Twice as many centres as clusters: each cluster is started from at least once.
    const { values } = sphericalKMeans(new Random(1), rows, 16, 10);
    for (const { axis, sign } of axes) {
      const nearest = Math.max(...Array.from({ length: 16 }, (_, k) => sign * values[4 * k + axis]));
      expect(nearest).toBeGreaterThan(0.99);
    }
  });

  it('gives centres of length 1, the same for the same seed', () => {
    const { rows } = clusters();
    const [a, b] = [1, 1].map((seed) => sphericalKMeans(new Random(seed), rows, 5, 3));
    expect(b.values).toEqual(a.values);
    for (let k = 0; k < 5; k++) expect(Math.hypot(...a.values.subarray(4 * k, 4 * k + 4))).toBeCloseTo(1, 6);
  });

  it('drops the shortest rows and keeps the directions of the others', () => {
    const values = Float32Array.of(3, 4, 0.1, 0, 0, -2, 0.2, 0.2);
    const kept = directionsOfLongest({ count: 4, width: 2, values }, 0.3);
    // Lengths 5, 0.1, 2, 0.28: the limit is the second smallest, and only what is longer stays.
    expect(kept.count).toBe(2);
    expect(kept.values).toBeAllclose([0.6, 0.8, 0, -1]);
  });
});
