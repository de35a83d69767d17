import * as tf from '@tensorflow/tfjs-core';

/**
 * Coefficients of the polynomials p(t) = a + b t + c t^2 whose composition x -> x p(x^2) takes [1e-4, 1] to 1 within
 * rounding: each is the best approximation of 1 by an odd polynomial of degree five on the interval that the one before
 * leaves (the method of Amsel, Persson, Musco & Gower 2025, "The Polar Express", for a lower end of 1e-4). Nine steps
 * do what takes Newton-Schulz, a = 1.5 and b = -0.5, twenty-four: after twelve, the distance is wrong by two per cent.
 */
export const polarSteps = [
  [8.50988588, -25.26430566, 18.75356879],
  [4.24957372, -3.1549767, 0.58588482],
  [4.2251223, -3.13804462, 0.5839535],
  [4.12483876, -3.06833251, 0.57600297],
  [3.75801018, -2.80927376, 0.54648419],
  [2.8561771, -2.1340559, 0.47011074],
  [2.02060016, -1.4037208, 0.39067382],
  [1.87587507, -1.25097193, 0.37509718],
  [1.875, -1.25, 0.375],
] as const;

/**
 * The square root of a symmetric positive definite matrix and its inverse, by the coupled iteration of Newton-Schulz
 * (Higham 2008, "Functions of Matrices", eq. 6.35) with the polynomials above. Eigenvalues below 1e-6 of the largest
 * are lost in float32: the caller adds that much to the diagonal.
 *
 * @returns [n, n] each; they belong to the caller
 */
export function squareRoot(matrix: tf.Tensor2D): {
  readonly root: tf.Tensor2D;
  readonly inverse: tf.Tensor2D;
} {
  return tf.tidy(() => {
    const identity = tf.eye(matrix.shape[0]);
    // At least the largest eigenvalue.
    const size = tf.norm(matrix);
    let [y, z]: [tf.Tensor2D, tf.Tensor2D] = [tf.div(matrix, size), identity];
    for (const step of polarSteps) {
      const p = polynomial(step, product(z, y), identity);
      [y, z] = [product(y, p), product(p, z)];
    }
    const scale = tf.sqrt(size);
    return { root: tf.mul<tf.Tensor2D>(y, scale), inverse: tf.div<tf.Tensor2D>(z, scale) };
  });
}

/**
 * The orthogonal factor U of the polar decomposition A = U H; directions whose singular value is below 1e-4 of the
 * largest are shortened. tr(U^T A) is the sum of singular values.
 *
 * @returns [n, n]; it belongs to the caller
 */
export function polarFactor(matrix: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const identity = tf.eye(matrix.shape[1]);
    let x: tf.Tensor2D = tf.div(matrix, tf.norm(matrix));
    for (const step of polarSteps) x = product(x, polynomial(step, product(tf.transpose(x), x), identity));
    return x;
  });
}

function polynomial([a, b, c]: readonly number[], t: tf.Tensor2D, identity: tf.Tensor2D): tf.Tensor2D {
  return tf.addN([tf.mul(identity, a), tf.mul(t, b), tf.mul(product(t, t), c)]) as tf.Tensor2D;
}

/**
 * A B. tfjs-wasm keeps packed right-hand sides by data id and not by shape, which is safe here: none of these matrices
 * is reshaped.
 */
const product = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => tf.matMul(a, b);
