import type { Work } from '../image/in-turns';
import { affine } from './affine';
import { type Matrix, ofEigenvalues, product } from './matrix';
import { type Conversion, type Moments, momentsOf } from './moments';

/**
 * Moves colours by the linear map that gives them mean and covariance of a reference with the least change in the mean
 * square, the Monge-Kantorovich map (Pitie & Kokaram 2007, eq. 4):
 * T = S^-1/2 (S^1/2 R S^1/2)^1/2 S^-1/2, S and R the covariances of image and reference in RGB.
 *
 * @param pixels RGB in [0,1], row-major, as `reference`
 * @returns RGB, row-major, not clipped
 */
export function* matchCovariance(pixels: Float32Array, reference: Float32Array): Work<Float32Array> {
  const own: Moments = yield* momentsOf(pixels, rgb);
  const wanted: Moments = yield* momentsOf(reference, rgb);
  const matrix = mongeKantorovich(own.covariance, wanted.covariance);
  return yield* affine(pixels, matrix, own.mean, wanted.mean, rgb, rgb);
}

/** Variance of the error of rounding to 8 bits. */
const roundingVariance = 1 / 255 ** 2 / 12;

/**
 * The symmetric map from one covariance to another. Directions in which `own` varies by no more than rounding to 8 bits
 * does, such as all chroma of a grey image, are left as they are: no linear map gives them variance, except of noise.
 */
export function mongeKantorovich(own: Matrix, wanted: Matrix): Matrix {
  const varies = (variance: number) => variance > roundingVariance;
  const root = ofEigenvalues(own, (v) => (varies(v) ? Math.sqrt(v) : 0));
  const inverseRoot = ofEigenvalues(own, (v) => (varies(v) ? 1 / Math.sqrt(v) : 0));
  const rest = ofEigenvalues(own, (v) => (varies(v) ? 0 : 1));
  const middle = ofEigenvalues(product(root, wanted, root), (v) => Math.sqrt(Math.max(0, v)));
  const map = product(inverseRoot, middle, inverseRoot);
  return map.map((row, i) => row.map((value, j) => value + rest[i][j]));
}

const rgb: Conversion = (red, green, blue, into) => {
  into[0] = red;
  into[1] = green;
  into[2] = blue;
};
