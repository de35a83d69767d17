import * as tf from '@tensorflow/tfjs-core';
import type { Bounds, Quantity, VectorSpace } from './vector-space';
import { wrongShape } from './wrong-shape';

/** Vectors as tensors of one shape, on whatever backend is active. */
export function tensorSpace<T extends tf.Tensor>(shape: readonly number[]): VectorSpace<T, tf.Scalar> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const alive = new Set<T>();
  const adopt = (vector: T): T => {
    const isTensor = vector instanceof tf.Tensor;
    if (isTensor) alive.add(vector);
    if (!isTensor || vector.dtype !== 'float32' || !tf.util.arraysEqual(vector.shape, [...shape])) {
      throw wrongShape(isTensor ? vector.shape : vector, `a float32 tensor of shape [${shape}]`);
    }
    return vector;
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
        // One addend at a time, so that no more than two temporaries are alive however long the sum is.
        let sum: tf.Tensor | undefined;
        vectors.forEach((vector, k) => {
          const addend = coefficients[k] === 1 ? vector : tf.mul(vector, coefficients[k]);
          const next: tf.Tensor = sum === undefined ? addend : tf.add(sum, addend);
          for (const done of [sum, addend])
            if (done && done !== next && !vectors.includes(done as T)) done.dispose();
          sum = next;
        });
        return sum === undefined || vectors.includes(sum as T) ? tf.clone(sum ?? vectors[0]) : sum;
      }),
    multiply: (a, b) => make(() => tf.mul(a, b)),
    divideByRoot: (numerator, square, epsilon) =>
      make(() => tf.div(numerator, tf.add(tf.sqrt(square), epsilon))),
    project: (x, { lower, upper }) =>
      make(() => {
        const above = lower === undefined ? x : tf.maximum(x, lower);
        return tf.clone(upper === undefined ? above : tf.minimum(above, upper));
      }),
    freeMask: (x, gradient, bounds) =>
      make(() => tf.cast(tf.logicalNot(held(x, gradient, bounds)), 'float32')),
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

function held(x: tf.Tensor, gradient: tf.Tensor, { lower, upper }: Bounds<tf.Tensor>): tf.Tensor {
  const below =
    lower === undefined ? undefined : tf.logicalAnd(tf.lessEqual(x, lower), tf.greater(gradient, 0));
  const above =
    upper === undefined ? undefined : tf.logicalAnd(tf.greaterEqual(x, upper), tf.less(gradient, 0));
  if (below && above) return tf.logicalOr(below, above);
  return below ?? above ?? tf.zeros(x.shape, 'bool');
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
    const rowSums = quantity.left.flatMap((left) =>
      quantity.right.map((right) =>
        tf.tidy(() => {
          const product = tf.reshape<tf.Rank.R1>(tf.mul(left, right), [size]);
          const padded = rows * columns > size ? tf.pad1d(product, [0, rows * columns - size]) : product;
          return tf.sum<tf.Tensor1D>(tf.reshape(padded, [rows, columns]), 1);
        }),
      ),
    );
    return tf.sum<tf.Tensor1D>(tf.reshape(tf.concat1d(rowSums), [rowSums.length, rows]), 1);
  });
  return tf.concat1d(parts);
}

/** Rows and columns, neither much longer than the other, that hold `size` numbers: exactly where `size` has such factors, else with some to spare. */
function nearlySquare(size: number): [rows: number, columns: number] {
  const root = Math.floor(Math.sqrt(size));
  for (let rows = root; rows > root / 8; rows--) if (size % rows === 0) return [rows, size / rows];
  return [root, Math.ceil(size / root)];
}
