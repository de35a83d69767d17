import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from '../allocation';
import { ComputationError } from '../errors';
import { Lifetime } from '../owning';
import {
  type Bounds,
  countOf,
  type Quantity,
  type VectorSpace,
  wrongScalar,
  wrongShape,
} from './vector-space';

/** Vectors as float32 tensors of one shape, on whatever backend is active. */
export function tensorSpace<T extends tf.Tensor>(shape: readonly number[]): VectorSpace<T, tf.Scalar> {
  checkAllocations();
  const size = tf.util.sizeFromShape([...shape]);
  const life = new Lifetime('The vector space');
  const alive = new Set<tf.Tensor>();
  const dispose = (...tensors: readonly tf.Tensor[]): void => {
    for (const tensor of tensors) if (alive.delete(tensor)) tensor.dispose();
  };
  const adopt = (vector: T): T => {
    life.requireAlive();
    // An objective or preconditioner may return its argument itself.
    const own = vector instanceof tf.Tensor && alive.has(vector) ? tf.clone(vector) : vector;
    if (own instanceof tf.Tensor) alive.add(own);
    return requireTensorOfShape(own, shape);
  };
  /** A new vector, computed from others and perhaps bounds, which have to be alive. */
  const make = (compute: () => tf.Tensor, ...from: readonly (T | Bounds<T>)[]): T => {
    life.requireAlive();
    requireUndisposed(from.flatMap((one) => (one instanceof tf.Tensor ? [one] : [one.lower, one.upper])));
    const vector = tf.tidy(compute) as T;
    alive.add(vector);
    return vector;
  };
  return {
    size,
    epsilon: 2 ** -23,
    adopt,
    adoptScalars(scalars) {
      life.requireAlive();
      for (const scalar of scalars) if (scalar instanceof tf.Tensor) alive.add(scalar);
      for (const scalar of scalars)
        if (!(scalar instanceof tf.Tensor) || scalar.size !== 1)
          throw wrongScalar(scalar instanceof tf.Tensor ? scalar.shape : scalar, 'a tf.Scalar');
      return scalars;
    },
    copy: (vector) => make(() => tf.clone(vector), vector),
    dispose,
    disposeScalars: (scalars) => dispose(...scalars),
    close() {
      life.end();
      dispose(...alive);
    },
    combine: (coefficients, vectors) =>
      make(
        () => {
          // One addend at a time, so that the number of live temporaries does not grow with the sum.
          const addend = (k: number) => tf.mul(vectors[k], coefficients[k]);
          let sum = addend(0);
          for (let k = 1; k < vectors.length; k++) {
            const longer = tf.tidy(() => tf.add(sum, addend(k)));
            sum.dispose();
            sum = longer;
          }
          return sum;
        },
        ...vectors,
      ),
    multiply: (a, b) => make(() => tf.mul(a, b), a, b),
    divideByRoot: (numerator, square, epsilon) =>
      make(() => tf.div(numerator, tf.add(tf.sqrt(square), epsilon)), numerator, square),
    project: (x, bounds) => make(() => project(x, bounds), x, bounds),
    freeMask: (x, gradient, bounds) => make(() => freeMask(x, gradient, bounds), x, gradient, bounds),
    precondition(preconditioner, vector) {
      life.requireAlive();
      return adopt(preconditioner.apply(vector));
    },
    async measure<Q extends readonly Quantity<T, tf.Scalar>[]>(quantities: Q) {
      life.requireAlive();
      requireUndisposed(quantities.flatMap(tensorsOf));
      const packed = tf.tidy(() => pack(quantities, size));
      try {
        const numbers = await packed.data();
        let offset = 0;
        return quantities.map((quantity) => {
          const start = offset;
          offset += countOf(quantity);
          return Array.from(numbers.subarray(start, offset));
        }) as { [I in keyof Q]: number[] };
      } finally {
        packed.dispose();
      }
    },
  };
}

/** Throws unless `vector`, returned by an objective or a preconditioner, is a float32 tensor of this shape. */
export function requireTensorOfShape<T extends tf.Tensor>(vector: T, shape: readonly number[]): T {
  const isTensor = vector instanceof tf.Tensor;
  if (isTensor) requireUndisposed([vector]);
  if (isTensor && vector.dtype === 'float32' && tf.util.arraysEqual(vector.shape, [...shape])) return vector;
  throw wrongShape(isTensor ? vector.shape : vector, `a float32 tensor of shape [${shape}]`);
}

function tensorsOf(quantity: Quantity<tf.Tensor, tf.Scalar>): readonly (tf.Tensor | number | undefined)[] {
  if (quantity.kind === 'products') return [...quantity.left, ...quantity.right];
  if (quantity.kind !== 'projectedGradient') return quantity.of;
  const { x, gradient, bounds } = quantity;
  return [x, gradient, bounds.lower, bounds.upper];
}

/** Throws `DISPOSED` if a tensor has been freed: tfjs would do so too, without a code. */
function requireUndisposed(tensors: readonly (tf.Tensor | number | undefined)[]): void {
  for (const tensor of tensors)
    if (tensor instanceof tf.Tensor && tensor.isDisposed)
      throw new ComputationError('DISPOSED', 'A vector has been disposed and can no longer be used.', {
        value: tensor.shape,
        accepted: 'a tensor that has not been disposed',
      });
}

function project(
  x: tf.Tensor,
  { lower = -largestNumber, upper = largestNumber }: Bounds<tf.Tensor>,
): tf.Tensor {
  // On wasm clipping is many times faster than maximum and minimum.
  if (typeof lower === 'number' && typeof upper === 'number') return tf.clipByValue(x, lower, upper);
  return tf.minimum(tf.maximum(x, lower), upper);
}

/** The largest float32: shaders have no literal for infinity. */
const largestNumber = (2 - 2 ** -23) * 2 ** 127;

/** min(max(gradient, x - upper), x - lower) */
function projectedGradient(
  x: tf.Tensor,
  gradient: tf.Tensor,
  { lower, upper }: Bounds<tf.Tensor>,
): tf.Tensor {
  const raised = upper === undefined ? gradient : tf.maximum(gradient, tf.sub(x, upper));
  return lower === undefined ? raised : tf.minimum(raised, tf.sub(x, lower));
}

/** 1 - [x <= lower] [gradient > 0] - [x >= upper] [gradient < 0]; by steps, because comparisons are slow on wasm. */
function freeMask(x: tf.Tensor, gradient: tf.Tensor, { lower, upper }: Bounds<tf.Tensor>): tf.Tensor {
  const held: tf.Tensor[] = [];
  if (lower !== undefined) held.push(tf.mul(tf.sub(1, tf.step(tf.sub(x, lower))), tf.step(gradient)));
  if (upper !== undefined) held.push(tf.mul(tf.sub(1, tf.step(tf.sub(upper, x))), tf.step(tf.neg(gradient))));
  return held.reduce((free, part) => tf.sub(free, part), tf.onesLike(x));
}

/** Packs all quantities into one small vector, so that the run waits for the device once. */
function pack(quantities: readonly Quantity<tf.Tensor, tf.Scalar>[], size: number): tf.Tensor1D {
  const parts = quantities.filter(countOf).map((quantity): tf.Tensor1D => {
    if (quantity.kind === 'scalars') return tf.concat1d(quantity.of.map((scalar) => tf.reshape(scalar, [1])));
    if (quantity.kind === 'largest') return tf.concat1d(quantity.of.map(largest));
    if (quantity.kind === 'projectedGradient') {
      const { x, gradient, scale, bounds } = quantity;
      return largest(projectedGradient(x, scale === 1 ? gradient : tf.mul(gradient, scale), bounds));
    }
    const [rows, columns] = nearlySquare(size);
    // Sums in two stages: one long sum in single precision would lose digits at hundreds of thousands of addends.
    const means = quantity.left.flatMap((left) =>
      quantity.right.map((right) => tf.tidy(() => columnMeans(tf.mul(left, right), rows, columns))),
    );
    const sums = tf.sum<tf.Tensor1D>(tf.reshape(tf.concat1d(means), [means.length, columns]), 1);
    return tf.mul(sums, rows);
  });
  return tf.concat1d(parts);
}

const largest = (vector: tf.Tensor): tf.Tensor1D => tf.reshape(tf.max(tf.abs(vector)), [1]);

/** Means over the rows of a matrix, by average pooling: on wasm that is four times faster than `tf.sum`. */
function columnMeans(vector: tf.Tensor, rows: number, columns: number): tf.Tensor1D {
  const flat = tf.reshape<tf.Rank.R1>(vector, [vector.size]);
  const padded = rows * columns > vector.size ? tf.pad1d(flat, [0, rows * columns - vector.size]) : flat;
  const matrix = tf.reshape<tf.Rank.R4>(padded, [1, rows, 1, columns]);
  return tf.reshape(tf.avgPool(matrix, [rows, 1], [rows, 1], 'valid'), [columns]);
}

/**
 * Rows and columns, neither much longer than the other, of a matrix that holds `size` numbers: without padding if
 * `size` has such factors.
 */
function nearlySquare(size: number): [rows: number, columns: number] {
  const root = Math.floor(Math.sqrt(size));
  for (let rows = root; rows > root / 8; rows--) if (size % rows === 0) return [rows, size / rows];
  return [root, Math.ceil(size / root)];
}
