/** A matrix [3][3]. */
export type Matrix = readonly (readonly number[])[];

/** `diagonal` of three values. */
const diagonal = (values: readonly number[]): Matrix =>
  values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));

/** The product of matrices, from left to right. */
export function product(first: Matrix, ...rest: readonly Matrix[]): Matrix {
  return rest.reduce(
    (a, b) => a.map((row) => b.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0))),
    first,
  );
}

export const transpose = (a: Matrix): Matrix => a.map((_, i) => a.map((row) => row[i]));

/** The inverse of an invertible matrix, by cofactors. */
export function inverse(a: Matrix): Matrix {
  const cofactor = (i: number, j: number) => {
    const [r, s] = [(i + 1) % 3, (i + 2) % 3];
    const [u, v] = [(j + 1) % 3, (j + 2) % 3];
    return a[r][u] * a[s][v] - a[r][v] * a[s][u];
  };
  const determinant = [0, 1, 2].reduce((sum, j) => sum + a[0][j] * cofactor(0, j), 0);
  return a.map((_, i) => a.map((__, j) => cofactor(j, i) / determinant));
}

/** Applies a function to the eigenvalues of a symmetric matrix: `Math.sqrt` gives its square root. */
export function ofEigenvalues(a: Matrix, f: (eigenvalue: number) => number): Matrix {
  const { values, vectors } = eigen(a);
  return product(vectors, diagonal(values.map(f)), transpose(vectors));
}

/** Eigenvalues and, in columns, eigenvectors of a symmetric matrix, by Jacobi's rotations, which keep small values. */
function eigen(symmetric: Matrix): { readonly values: number[]; readonly vectors: Matrix } {
  let a = symmetric;
  let vectors = diagonal([1, 1, 1]);
  const size = Math.max(...a.flat().map(Math.abs));
  // Convergence is quadratic: 3 x 3 matrices need 4 to 6 sweeps.
  for (let sweep = 0; sweep < 20; sweep++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      if (Math.abs(a[p][q]) <= 1e-20 * size) continue;
      const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const cosine = 1 / Math.hypot(t, 1);
      const rotation = diagonal([1, 1, 1]).map((row) => [...row]);
      rotation[p][p] = rotation[q][q] = cosine;
      rotation[p][q] = t * cosine;
      rotation[q][p] = -t * cosine;
      a = product(transpose(rotation), a, rotation);
      vectors = product(vectors, rotation);
    }
  }
  return { values: a.map((row, i) => row[i]), vectors };
}
