import { Lifetime } from '../owning';
import { type Bounds, type Quantity, requireNumbers, type VectorSpace, wrongShape } from './vector-space';

/**
 * Vectors as `Float64Array`s of one length. They need no freeing; closing the space only makes it refuse further use.
 */
export function arraySpace(size: number): VectorSpace<Float64Array, number> {
  const life = new Lifetime('The vector space');
  /** A new vector, from each component's index. */
  const make = (component: (index: number) => number): Float64Array => {
    life.requireAlive();
    const vector = new Float64Array(size);
    for (let i = 0; i < size; i++) vector[i] = component(i);
    return vector;
  };
  const adopt = (vector: Float64Array): Float64Array => {
    life.requireAlive();
    if (!(vector instanceof Float64Array) || vector.length !== size)
      throw wrongShape(vector, `a Float64Array of ${size}`);
    // A copy, so that an objective may use one array for all its gradients.
    return vector.slice();
  };
  return {
    size,
    epsilon: Number.EPSILON,
    adopt,
    adoptScalars(scalars) {
      life.requireAlive();
      return requireNumbers(scalars);
    },
    copy: (vector) => make((i) => vector[i]),
    dispose: () => undefined,
    disposeScalars: () => undefined,
    close: () => void life.end(),
    combine: (coefficients, vectors) =>
      make((i) => vectors.reduce((sum, vector, k) => sum + coefficients[k] * vector[i], 0)),
    multiply: (a, b) => make((i) => a[i] * b[i]),
    divideByRoot: (numerator, square, epsilon) =>
      make((i) => numerator[i] / (Math.sqrt(square[i]) + epsilon)),
    project(x, bounds) {
      const [lower, upper] = bounding(bounds);
      return make((i) => Math.min(Math.max(x[i], lower(i)), upper(i)));
    },
    freeMask(x, gradient, bounds) {
      const [lower, upper] = bounding(bounds);
      return make((i) => {
        const held = (x[i] <= lower(i) && gradient[i] > 0) || (x[i] >= upper(i) && gradient[i] < 0);
        return held ? 0 : 1;
      });
    },
    precondition: (preconditioner, vector) => adopt(preconditioner.apply(vector)),
    async measure<Q extends readonly Quantity<Float64Array, number>[]>(quantities: Q) {
      life.requireAlive();
      return quantities.map(measured) as { [I in keyof Q]: number[] };
    },
  };
}

function measured(quantity: Quantity<Float64Array, number>): number[] {
  if (quantity.kind === 'scalars') return [...quantity.of];
  if (quantity.kind === 'largest') return quantity.of.map(largest);
  if (quantity.kind === 'projectedGradient') return [largestProjected(quantity)];
  return quantity.left.flatMap((left) => quantity.right.map((right) => innerProduct(left, right)));
}

const largest = (vector: Float64Array): number =>
  vector.reduce((most, component) => Math.max(most, Math.abs(component)), 0);

type ProjectedGradient<V> = Extract<Quantity<V, never>, { readonly kind: 'projectedGradient' }>;

function largestProjected({ x, gradient, scale, bounds }: ProjectedGradient<Float64Array>): number {
  const [lower, upper] = bounding(bounds);
  return x.reduce((most, component, i) => {
    const projected = Math.min(Math.max(scale * gradient[i], component - upper(i)), component - lower(i));
    return Math.max(most, Math.abs(projected));
  }, 0);
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
