import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gramMatrix } from '../../src/losses';
import { expectNoLeak } from '../../src/testing';
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

describe('gramMatrix', () => {
  onEachBackend(() => {
    // Two positions, two channels: F = [[1, 2], [3, 4]], F^T F = [[1 + 9, 2 + 12], [2 + 12, 4 + 16]].
    const feature = () => tf.tensor4d([1, 2, 3, 4], [1, 1, 2, 2]);

    it.each([
      ['none', 1],
      ['positions', 2],
      ['elements', 4],
    ] as const)('divides by nothing, positions or elements: %s', (normalization, divisor) => {
      const expected = [10, 14, 14, 20].map((v) => v / divisor);
      expect(gramMatrix(feature(), { normalization })).toBeAllclose(expected);
    });

    it('divides by elements unless told otherwise', () => {
      expect(gramMatrix(feature())).toBeAllclose([2.5, 3.5, 3.5, 5]);
    });

    it('has the gradient F (D + D^T) / n', () => {
      const weights = tf.tensor2d([1, 2, 0, 1], [2, 2]);
      const gradient = tf.grad((f) => tf.sum(tf.mul(gramMatrix(f as tf.Tensor4D), weights)))(feature());
      // D + D^T = [[2, 2], [2, 2]]; rows of F times it, over 4.
      expect(gradient).toBeAllclose([1.5, 1.5, 3.5, 3.5]);
    });

    it('leaves nothing but its result', async () => {
      const f = feature();
      const gram = await expectNoLeak(() => gramMatrix(f));
      expect(f.isDisposed).toBe(false);
      tf.dispose([f, gram]);
    });

    it('gives right numbers for one buffer seen in two shapes', () => {
      const flat = tf.tensor4d([1, 2, 3, 4], [1, 4, 1, 1]);
      const folded = tf.reshape(flat, [1, 1, 2, 2]) as tf.Tensor4D;
      expect(gramMatrix(flat, { normalization: 'none' })).toBeAllclose([30]);
      expect(gramMatrix(folded, { normalization: 'none' })).toBeAllclose([10, 14, 14, 20]);
    });
  });

  it('is within 1e-5 of double precision at a million positions', async () => {
    await tf.setBackend('wasm');
    const [side, channels] = [1024, 6];
    let state = 1;
    const values = Float32Array.from({ length: side * side * channels }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.max(0, state / 2 ** 32 - 0.3);
    });
    const feature = tf.tensor4d(values, [1, side, side, channels]);
    const gram = gramMatrix(feature, { normalization: 'positions' });
    const expected = new Float64Array(channels * channels);
    for (let k = 0; k < values.length; k += channels)
      for (let i = 0; i < channels; i++)
        for (let j = 0; j < channels; j++) expected[i * channels + j] += values[k + i] * values[k + j];
    expect(gram).toBeAllclose(
      expected.map((sum) => sum / side ** 2),
      { rtol: 1e-6 },
    );
    tf.dispose([feature, gram]);
  });

  it('is right where tfjs-wasm would need as much memory again as the features take, and leave zeros without it', async () => {
    await tf.setBackend('wasm');
    const feature = tf.fill([1, 1800, 1800, 64], 0.5) as tf.Tensor4D;
    const gram = gramMatrix(feature, { normalization: 'positions' });
    expect(gram).toBeAllclose(new Float32Array(64 * 64).fill(0.25), { rtol: 1e-6 });
    tf.dispose([feature, gram]);
  });

  it('is symmetric, and does not change when positions are shuffled or repeated', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 12, maxLength: 12 }),
        (values) => {
          const once = gramMatrix(tf.tensor4d(values, [1, 2, 2, 3]));
          const reversed = Array.from({ length: 4 }, (_, p) => values.slice(9 - 3 * p, 12 - 3 * p)).flat();
          const twice = gramMatrix(tf.tensor4d([...values, ...reversed], [1, 4, 2, 3]));
          expect(tf.transpose(once)).toBeAllclose(once, { atol: 1e-6 });
          expect(twice).toBeAllclose(once, { atol: 1e-5 });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('names what it does not know', () => {
    const f = tf.ones([1, 2, 2, 1]) as tf.Tensor4D;
    expect(() => gramMatrix(f, { normalization: 'element' as never })).toThrow(/did you mean 'elements'/);
    expect(() => gramMatrix(f, { normalisation: 'none' } as never)).toThrow(
      /no option 'normalisation'; did you mean 'normalization'/,
    );
    expect(() => gramMatrix(tf.ones([2, 2, 1]) as never)).toThrow(
      /shape \[2,2,1\]; accepted: \[1, height, width, channels\]/,
    );
  });
});
