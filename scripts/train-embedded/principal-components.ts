import { Random } from '../../src/random.ts';

/** Eigenvectors of a covariance with the largest eigenvalues. */
export interface PrincipalComponents {
  /** From large to small. */
  readonly variances: Float64Array;
  /** [width, count], row-major: a column is a direction. */
  readonly directions: Float64Array;
}

/**
 * The `count` largest eigenvalues of a symmetric matrix and their vectors, by orthogonal iteration with a few vectors
 * more than wanted and a last step of Rayleigh and Ritz (Golub & Van Loan, 8.2.4 and 8.5).
 */
export function principalComponents(
  covariance: Float64Array,
  width: number,
  count: number,
  iterations = 15,
): PrincipalComponents {
  const random = new Random(1);
  const block = Math.min(width, count + 16);
  let basis = new Float64Array(width * block).map(() => random.normal());
  orthonormalise(basis, width, block);
  for (let i = 0; i < iterations; i++) {
    basis = product(covariance, basis, width, block);
    orthonormalise(basis, width, block);
  }
  const projected = innerProducts(basis, product(covariance, basis, width, block), width, block);
  const { values, vectors } = jacobi(projected, block);
  const order = Array.from(values.keys())
    .sort((a, b) => values[b] - values[a])
    .slice(0, count);
  const directions = new Float64Array(width * count);
  for (let row = 0; row < width; row++) {
    for (let k = 0; k < block; k++) {
      const weight = basis[row * block + k];
      for (let j = 0; j < count; j++) directions[row * count + j] += weight * vectors[k * block + order[j]];
    }
  }
  return { variances: Float64Array.from(order, (index) => Math.max(0, values[index])), directions };
}

/**
 * matrix [width, width] times block [width, columns]. Four rows of the block at a time: most of all time is spent here.
 */
function product(matrix: Float64Array, block: Float64Array, width: number, columns: number) {
  const result = new Float64Array(width * columns);
  for (let row = 0; row < width; row++) {
    const start = row * columns;
    let k = 0;
    for (; k + 3 < width; k += 4) {
      const at = row * width + k;
      const [f0, f1, f2, f3] = [matrix[at], matrix[at + 1], matrix[at + 2], matrix[at + 3]];
      const from = k * columns;
      for (let i = 0; i < columns; i++) {
        const j = from + i;
        result[start + i] +=
          f0 * block[j] + f1 * block[j + columns] + f2 * block[j + 2 * columns] + f3 * block[j + 3 * columns];
      }
    }
    for (; k < width; k++) {
      for (let i = 0; i < columns; i++) result[start + i] += matrix[row * width + k] * block[k * columns + i];
    }
  }
  return result;
}

/** transpose(a) times b, both [width, columns]. */
function innerProducts(a: Float64Array, b: Float64Array, width: number, columns: number): Float64Array {
  const result = new Float64Array(columns * columns);
  for (let row = 0; row < width; row++) {
    for (let i = 0; i < columns; i++) {
      addScaled(result.subarray(i * columns, (i + 1) * columns), b, row * columns, a[row * columns + i]);
    }
  }
  return result;
}

/** target += factor * source[start ...]: the loop in which the time goes. */
function addScaled(target: Float64Array, source: Float64Array, start: number, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[start + i];
}

/** Gram and Schmidt's method, modified, on the columns of [width, columns], in place. */
export function orthonormalise(block: Float64Array, width: number, columns: number): void {
  const vectors = Array.from({ length: columns }, (_, j) =>
    Float64Array.from({ length: width }, (_, row) => block[row * columns + j]),
  );
  for (const [j, vector] of vectors.entries()) {
    for (let i = 0; i < j; i++) addScaled(vector, vectors[i], 0, -dot(vector, vectors[i]));
    // Where the matrix has no more rank a vector becomes zero, and may stay so.
    const length = Math.sqrt(dot(vector, vector)) || 1;
    for (let row = 0; row < width; row++) block[row * columns + j] = vector[row] /= length;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** All eigenvalues and vectors (columns) of a small symmetric matrix by Jacobi's rotations (Golub & Van Loan, 8.5). */
function jacobi(symmetric: Float64Array, size: number): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(symmetric);
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  const total = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < 30; sweep++) {
    let outside = 0;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) outside += a[p * size + q] ** 2;
    }
    if (outside <= 1e-22 * total) break;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
    }
  }
  return { values: Float64Array.from({ length: size }, (_, i) => a[i * size + i]), vectors };
}

/** Makes a[p][q] zero by a rotation in the plane of p and q. */
function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q];
  if (apq === 0) return;
  const theta = (a[q * size + q] - a[p * size + p]) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < size; k++) turn(a, k * size + p, k * size + q, c, s);
  for (let k = 0; k < size; k++) turn(a, p * size + k, q * size + k, c, s);
  for (let k = 0; k < size; k++) turn(vectors, k * size + p, k * size + q, c, s);
}

function turn(values: Float64Array, i: number, j: number, c: number, s: number): void {
  const [x, y] = [values[i], values[j]];
  values[i] = c * x - s * y;
  values[j] = s * x + c * y;
}
