import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { moments, whitened, whitening } from '../../scripts/train-embedded/whitening';
import { Random } from '../../src/random';
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

/** Rows whose covariance has the eigenvalues 9, 4 and 1/4, in directions that are no axes. */
function rows(count = 6000) {
  const random = new Random(5);
  const values = new Float32Array(count * 3);
  for (let row = 0; row < count; row++) {
    const [a, b, c] = [3 * random.normal(), 2 * random.normal(), random.normal() / 2];
    values.set([(a + b) * Math.SQRT1_2 + 10, (a - b) * Math.SQRT1_2 - 4, c], 3 * row);
  }
  return { count, width: 3, values };
}

onEachBackend(() => {
  it('measures mean and covariance', () => {
    const { mean, covariance } = moments({ count: 3, width: 2, values: Float32Array.of(1, 2, 3, 2, 5, 8) });
    // Means (1+3+5)/3 and (2+2+8)/3; deviations (-2,0,2) and (-2,-2,4), divided by 3 - 1.
    expect(mean).toBeAllclose([3, 4]);
    expect(covariance).toBeAllclose([4, 6, 6, 12]);
  });

  it.each([
    [0, [9, 4, 0.25]],
    [0.5, [3, 2, 0.5]],
    [1, [1, 1, 1]],
  ])('of strength %s turns a variance v into v^(1 - strength)', (strength, expected) => {
    const before = tf.memory().numTensors;
    const given = rows();
    const whitener = whitening(given, { dimensions: 3, strength, floor: 0 });
    const { mean, covariance } = moments(whitened(given, whitener));
    whitener.projection.dispose();
    expect(mean).toBeAllclose([0, 0, 0], { atol: 1e-5 });
    const [v1, , , , v2, , , , v3] = covariance;
    // 6000 samples know a variance to 2 %; four times that.
    expect([v1, v2, v3]).toBeAllclose(expected, { rtol: strength === 1 ? 1e-4 : 0.08 });
    expect([covariance[1], covariance[2], covariance[5]]).toBeAllclose([0, 0, 0], { atol: 1e-4 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps the directions of largest variance', () => {
    const given = rows();
    const whitener = whitening(given, { dimensions: 2, strength: 0, floor: 0 });
    const { covariance } = moments(whitened(given, whitener));
    whitener.projection.dispose();
    expect([covariance[0], covariance[3]]).toBeAllclose([9, 4], { rtol: 0.08 });
  });
});
