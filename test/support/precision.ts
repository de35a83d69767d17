import * as tf from '@tensorflow/tfjs-core';

/**
 * Tolerances of the suites are those of IEEE float32: every operation is rounded correctly, by at most 2^-24 of its
 * result. A backend whose operations are less exact gets tolerances that are wider by the ratio of the two errors:
 *
 * | backend | an operation is off by | from | factor |
 * |---|---|---|---|
 * | cpu, wasm | 2^-24 | IEEE 754: 0.5 ULP | 1 |
 * | webgl | 2.5 ULP = 5 * 2^-24 | OpenGL ES 3.0, section 4.7.1 of the shading language: division | 5 |
 * | webgpu | 4.5 ULP = 9 * 2^-24 | WGSL, section 15.7.4: sqrt(x) = 1 / inverseSqrt(x), 2 + 2.5 ULP | 9 |
 *
 * Sums of n numbers add n such errors on every backend: the tolerances allow for that, and the factor stays. Where
 * results are stored in fewer bits, as in 16-bit textures, each is rounded once more, by the unit that is measured.
 */
const operationError: Readonly<Record<string, number>> = { cpu: 1, wasm: 1, webgl: 5, webgpu: 9 };

let factor = 1;

/** Sets {@link precisionFactor} to that of the active backend. */
export async function measurePrecision(): Promise<void> {
  const stored = (await storedBits()) + 1;
  factor = Math.max(operationError[tf.getBackend()] ?? 1, 2 ** (24 - stored));
}

/** How much wider than for float32 tolerances are on the backend that was measured last. */
export const precisionFactor = (): number => factor;

/** Bits behind the leading one that a result keeps: 23 of float32, 10 of 16-bit floats. */
async function storedBits(): Promise<number> {
  const sums = Array.from({ length: 23 }, (_, i) => 1 + 2 ** -(i + 1));
  const kept = tf.tidy(() => tf.mul(tf.tensor1d(sums), tf.scalar(1)));
  const values = await kept.data();
  kept.dispose();
  const lost = sums.findIndex((sum, i) => values[i] !== sum);
  return lost < 0 ? 23 : lost;
}
