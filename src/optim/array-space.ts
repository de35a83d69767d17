import type { Bounds, Quantity, VectorSpace } from './vector-space';
import { wrongShape } from './wrong-shape';

/** Vectors as `Float64Array`s of one length. */
export function arraySpace(size: number): VectorSpace<Float64Array, number> {
  const adopt = (vector: Float64Array): Float64Array => {
    if (!(vector instanceof Float64Array) || vector.length !== size) {
      throw wrongShape(vector, `a Float64Array of ${size}`);
    }
    // A copy, so that an objective may use one array for all its gradients.
    return vector.slice();
  };
  return {
    size,
    epsilon: Number.EPSILON,
    adopt,
    release: (vector) => vector,
    copy: (vector) => vector.slice(),
    dispose: () => undefined,
    disposeScalar: () => undefined,
    close: () => undefined,
    combine(coefficients, vectors) {
      const sum = new Float64Array(size);
      vectors.forEach((vector, k) => {
        const coefficient = coefficients[k];
        for (let i = 0; i < size; i++) sum[i] += coefficient * vector[i];
      });
      return sum;
    },
    multiply: (a, b) => a.map((component, i) => component * b[i]),
    divideByRoot: (numerator, square, epsilon) =>
      numerator.map((component, i) => component / (Math.sqrt(square[i]) + epsilon)),
    project(x, bounds) {
      const [lower, upper] = bounding(bounds);
      return x.map((component, i) => Math.min(Math.max(component, lower(i)), upper(i)));
    },
    freeMask(x, gradient, bounds) {
      const [lower, upper] = bounding(bounds);
      return x.map((component, i) => {
        const held = (component <= lower(i) && gradient[i] > 0) || (component >= upper(i) && gradient[i] < 0);
        return held ? 0 : 1;
      });
    },
    precondition: (preconditioner, vector) => adopt(preconditioner.apply(vector)),
    async measure<Q extends readonly Quantity<Float64Array, number>[]>(quantities: Q) {
      return quantities.map(measured) as { [I in keyof Q]: number[] };
    },
  };
}

function measured(quantity: Quantity<Float64Array, number>): number[] {
  if (quantity.kind === 'scalars') return [...quantity.of];
  if (quantity.kind === 'largest')
    return [quantity.of.reduce((largest, component) => Math.max(largest, Math.abs(component)), 0)];
  return quantity.left.flatMap((left) => quantity.right.map((right) => innerProduct(left, right)));
}

function innerProduct(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

type BoundOf = (index: number) => number;

function bounding({ lower = -Infinity, upper = Infinity }: Bounds<Float64Array>): [BoundOf, BoundOf] {
  const at = (bound: number | Float64Array): BoundOf =>
    typeof bound === 'number' ? () => bound : (i) => bound[i];
  return [at(lower), at(upper)];
}
