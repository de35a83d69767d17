import * as tf from '@tensorflow/tfjs-core';
import type { Bounds, Quantity, VectorSpace } from './vector-space';
import { requireTensorOfShape } from './wrong-shape';

/** Vectors as tensors of one shape, on whatever backend is active. */
export function tensorSpace<T extends tf.Tensor>(shape: readonly number[]): VectorSpace<T, tf.Scalar> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const alive = new Set<T>();
  const adopt = (vector: T): T => {
    if (vector instanceof tf.Tensor) alive.add(vector);
    return requireTensorOfShape(vector, shape);
  };
  const make = (compute: () => tf.Tensor): T => adopt(tf.tidy(compute) as T);
  const dispose = (...vectors: readonly T[]): void => {
    for (const vector of vectors) if (alive.delete(vector)) vector.dispose();
  };
  return {
    size,
    epsilon: 2 ** -23,
    adopt,
    release(vector) {
      alive.delete(vector);
      return vector;
    },
    copy: (vector) => make(() => tf.clone(vector)),
    dispose,
    disposeScalar: (scalar) => scalar.dispose(),
    close: () => dispose(...alive),
    combine: (coefficients, vectors) =>
      make(() => {
        // One addend at a time, so that few temporaries are alive however long the sum is.
        const addend = (k: number) => tf.mul(vectors[k], coefficients[k]);
        let sum = addend(0);
        for (let k = 1; k < vectors.length; k++) {
          const longer = tf.tidy(() => tf.add(sum, addend(k)));
          sum.dispose();
          sum = longer;
        }
        return sum;
      }),
    multiply: (a, b) => make(() => tf.mul(a, b)),
    divideByRoot: (numerator, square, epsilon) =>
      make(() => tf.div(numerator, tf.add(tf.sqrt(square), epsilon))),
    project: (x, bounds) => make(() => project(x, bounds)),
    freeMask: (x, gradient, bounds) => make(() => freeMask(x, gradient, bounds)),
    precondition(preconditioner, vector) {
      const result = preconditioner.apply(vector);
      return adopt(result === vector ? tf.clone(vector) : result);
    },
    async measure<Q extends readonly Quantity<T, tf.Scalar>[]>(quantities: Q) {
      const packed = tf.tidy(() => pack(quantities, size));
      try {
        const numbers = await packed.data();
        let offset = 0;
        return quantities.map((quantity) => {
          const start = offset;
          offset += count(quantity);
          return Array.from(numbers.subarray(start, offset));
        }) as { [I in keyof Q]: number[] };
      } finally {
        packed.dispose();
      }
    },
  };
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

/** 1 - [x <= lower] [gradient > 0] - [x >= upper] [gradient < 0]; by steps, because comparisons are slow on wasm. */
function freeMask(x: tf.Tensor, gradient: tf.Tensor, { lower, upper }: Bounds<tf.Tensor>): tf.Tensor {
  const held: tf.Tensor[] = [];
  if (lower !== undefined) held.push(tf.mul(tf.sub(1, tf.step(tf.sub(x, lower))), tf.step(gradient)));
  if (upper !== undefined) held.push(tf.mul(tf.sub(1, tf.step(tf.sub(upper, x))), tf.step(tf.neg(gradient))));
  return held.reduce((free, part) => tf.sub(free, part), tf.onesLike(x));
}

function count(quantity: Quantity<tf.Tensor, tf.Scalar>): number {
  if (quantity.kind === 'largest') return 1;
  return quantity.kind === 'scalars' ? quantity.of.length : quantity.left.length * quantity.right.length;
}

/** All quantities in one small vector, so that the device is waited for once. */
function pack(quantities: readonly Quantity<tf.Tensor, tf.Scalar>[], size: number): tf.Tensor1D {
  const parts = quantities.filter(count).map((quantity): tf.Tensor1D => {
    if (quantity.kind === 'scalars') return tf.concat1d(quantity.of.map((scalar) => tf.reshape(scalar, [1])));
    if (quantity.kind === 'largest') return tf.reshape(tf.max(tf.abs(quantity.of)), [1]);
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

/** Means over the rows of a matrix, by average pooling: on wasm that is four times faster than `tf.sum`. */
function columnMeans(vector: tf.Tensor, rows: number, columns: number): tf.Tensor1D {
  const flat = tf.reshape<tf.Rank.R1>(vector, [vector.size]);
  const padded = rows * columns > vector.size ? tf.pad1d(flat, [0, rows * columns - vector.size]) : flat;
  const matrix = tf.reshape<tf.Rank.R4>(padded, [1, rows, 1, columns]);
  return tf.reshape(tf.avgPool(matrix, [rows, 1], [rows, 1], 'valid'), [columns]);
}

/** Rows and columns, neither much longer than the other, that hold `size` numbers: exactly where `size` has such factors, else with some to spare. */
function nearlySquare(size: number): [rows: number, columns: number] {
  const root = Math.floor(Math.sqrt(size));
  for (let rows = root; rows > root / 8; rows--) if (size % rows === 0) return [rows, size / rows];
  return [root, Math.ceil(size / root)];
}
