import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pyramidPreconditioner } from '../../src/optim';
import { expectNoLeak } from '../../src/testing';
import { onEachBackend } from '../support/backends';
import '../support/to-be-allclose';

type Shape = [height: number, width: number, channels: number];

const shapes = fc.tuple(
  fc.integer({ min: 1, max: 37 }),
  fc.integer({ min: 1, max: 37 }),
  fc.constantFrom(1, 3),
);
const noise = (shape: Shape, seed: number) => tf.randomNormal<tf.Rank.R3>(shape, 0, 1, 'float32', seed);
const inner = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => tf.sum(tf.mul(a, b)).dataSync()[0]);

/**
 * The rows of bilinear enlargement by 2 of `coarse` pixels, cut to `fine`: weights 3/4 and 1/4, a border pixel being
 * its own neighbour.
 */
function enlargement(fine: number, coarse: number): number[][] {
  return Array.from({ length: fine }, (_, i) => {
    const row = new Array<number>(coarse).fill(0);
    const own = i >> 1;
    const neighbour = Math.min(Math.max(i % 2 ? own + 1 : own - 1, 0), coarse - 1);
    row[own] += 0.75;
    row[neighbour] += 0.25;
    return row;
  });
}

const product = (a: number[][], b: number[][]) =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));

const identity = (size: number) =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j): number => (i === j ? 1 : 0)));
const transposed = (m: number[][]) => m[0].map((_, j) => m.map((row) => row[j]));
const rowSums = (m: number[][]) => m.map((row) => row.reduce((sum, value) => sum + value, 0));

/**
 * The operator's definition with dense matrices, for one channel: U_k enlarges rows by one matrix and columns by
 * another.
 */
function dense(image: number[][], exponent: number, levels: number): number[][] {
  let [up, across, result] = [identity(image.length), identity(image[0].length), image];
  for (let k = 1; k <= levels; k++) {
    up = product(up, enlargement(up[0].length, Math.ceil(up[0].length / 2)));
    across = product(across, enlargement(across[0].length, Math.ceil(across[0].length / 2)));
    const [rows, columns] = [rowSums(transposed(up)), rowSums(transposed(across))];
    const weight = 2 ** (exponent * k) - 2 ** (exponent * (k - 1));
    const pooled = product(product(transposed(up), image), across);
    const shares = pooled.map((row, p) => row.map((value, q) => (weight * value) / (rows[p] * columns[q])));
    const band = product(product(up, shares), transposed(across));
    result = result.map((row, i) => row.map((value, j) => value + band[i][j]));
  }
  return result;
}

describe('pyramidPreconditioner', () => {
  onEachBackend(() => {
    it('is symmetric and at least the identity at any size', () => {
      fc.assert(
        fc.property(
          shapes,
          fc.integer({ min: 0, max: 7 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.nat(999),
          (shape, levels, exponent, seed) => {
            const { apply } = pyramidPreconditioner({ levels, exponent });
            tf.tidy(() => {
              const [a, b] = [noise(shape, seed), noise(shape, seed + 1)];
              const [pa, pb] = [apply(a), apply(b)];
              const scale = Math.sqrt(inner(pa, pa) * inner(b, b)) + 1e-3;
              expect(pa.shape).toEqual(shape);
              expect(Math.abs(inner(pa, b) - inner(a, pb))).toBeLessThan(1e-5 * scale);
              expect(inner(a, pa)).toBeGreaterThanOrEqual(inner(a, a) * (1 - 1e-5));
            });
          },
        ),
        { numRuns: 30 },
      );
    });

    it('amplifies a constant image by the gain of the coarsest octave, at odd sizes too', () => {
      for (const shape of [
        [32, 32, 3],
        [17, 29, 3],
        [1, 9, 1],
      ] as Shape[]) {
        tf.tidy(() => {
          const amplified = pyramidPreconditioner({ exponent: 0.5, levels: 3 }).apply(
            tf.fill(shape, 2) as tf.Tensor3D,
          );
          // 2^(0.5 * 3)
          expect(amplified).toBeAllclose(tf.fill(shape, 2 * 2 ** 1.5), { rtol: 1e-5 });
        });
      }
    });

    it.each([
      [8, 8],
      [7, 10],
      [5, 3],
    ])('is the operator that its documentation defines: %s x %s', (height, width) => {
      tf.tidy(() => {
        const image = noise([height, width, 1], 5);
        const expected = dense(tf.squeeze<tf.Tensor2D>(image, [2]).arraySync(), 0.5, 3);
        expect(pyramidPreconditioner({ levels: 3 }).apply(image)).toBeAllclose(expected.flat(), {
          rtol: 1e-4,
          atol: 1e-5,
        });
      });
    });

    it('leaves fine structure nearly as it is', () => {
      tf.tidy(() => {
        const checkerboard = tf.tensor3d(
          Array.from({ length: 256 }, (_, i) => (((i % 16) + (i >> 4)) % 2 ? 1 : -1)),
          [16, 16, 1],
        );
        const amplified = pyramidPreconditioner().apply(checkerboard);
        expect(inner(amplified, checkerboard) / 256).toBeLessThan(1.1);
      });
    });

    it('changes nothing with exponent 0 or without levels', () => {
      tf.tidy(() => {
        const image = noise([9, 6, 3], 1);
        expect(pyramidPreconditioner({ exponent: 0 }).apply(image)).toBeAllclose(image);
        expect(pyramidPreconditioner({ levels: 0 }).apply(image)).toBeAllclose(image);
      });
    });

    it('leaks nothing', async () => {
      const image = noise([21, 14, 3], 1);
      const amplified = await expectNoLeak(() => pyramidPreconditioner().apply(image));
      tf.dispose([image, amplified]);
    });
  });

  it('rejects tensors that are not images, and wrong options', () => {
    const flat = tf.tensor([1, 2]) as tf.Tensor3D;
    expect(() => pyramidPreconditioner().apply(flat)).toThrow(/\[height, width, channels\]/);
    flat.dispose();
    expect(() => pyramidPreconditioner({ levels: 2.5 })).toThrow(/levels is 2.5/);
    expect(() => pyramidPreconditioner({ exponent: -1 })).toThrow(/exponent is -1/);
    expect(() => pyramidPreconditioner({ level: 2 } as object)).toThrow(/did you mean 'levels'/);
  });
});
