import * as tf from '@tensorflow/tfjs-core';

/**
 * The sum of all entries, in rounds that sum 16 at a time. tfjs sums in one float32 accumulator, which loses digits
 * over thousands of entries; the rounding error of this sum grows with the logarithm of their number.
 *
 * @returns a scalar, which belongs to the caller
 */
export function sumOf(x: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    let sums = tf.reshape(x, [x.size]);
    while (sums.size > 1) {
      const rest = -sums.size & 15;
      const whole = rest === 0 ? sums : tf.pad(sums, [[0, rest]]);
      sums = tf.sum(tf.reshape(whole, [whole.size / 16, 16]), 1);
    }
    return tf.reshape(sums, []) as tf.Scalar;
  });
}

/** The mean of all entries, by {@link sumOf}. */
export function meanOf(x: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.div(sumOf(x), x.size));
}

/**
 * The sum of one tensor or more of one shape, two at a time: `tf.addN` of nine is zeros on WebGPU, whose programs may
 * have as few as eight buffers.
 *
 * @returns a tensor of its own, which belongs to the caller
 */
export function addAll<T extends tf.Tensor>([first, ...rest]: readonly T[]): T {
  return tf.tidy(() => rest.reduce((sum, next) => tf.add<T>(sum, next), tf.clone(first)));
}

/**
 * A sum of tensors of one shape, added in the order of a binary tree: a partial sum of 1, 2, 4, ... summands is kept
 * until another of the same length is complete. The rounding error and the number of tensors kept grow with the
 * logarithm of the number of summands.
 */
export class PairwiseSum {
  private readonly waiting: { readonly sum: tf.Tensor; readonly count: number }[] = [];

  /** Adds `summand` and owns it from now on. */
  add(summand: tf.Tensor): void {
    let [sum, count] = [summand, 1];
    while (this.waiting.at(-1)?.count === count) {
      sum = replaced(this.waiting.pop()?.sum as tf.Tensor, sum);
      count *= 2;
    }
    this.waiting.push({ sum, count });
  }

  /** The sum of one summand or more, which belongs to the caller; the summands are freed. */
  total(): tf.Tensor {
    return this.waiting
      .splice(0)
      .map(({ sum }) => sum)
      .reduceRight((total, sum) => replaced(sum, total));
  }
}

/** a + b; frees both. */
function replaced(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const sum = tf.add(a, b);
  tf.dispose([a, b]);
  return sum;
}

/**
 * The mean of each column of a matrix [rows, columns], in rounds that sum 16 rows at a time; see {@link sumOf}.
 *
 * @returns [1, columns], which belongs to the caller
 */
export function columnMeans(matrix: tf.Tensor2D): tf.Tensor2D {
  const [rows, columns] = matrix.shape;
  return tf.tidy(() => {
    let sums = matrix;
    while (sums.shape[0] > 1) {
      const rest = -sums.shape[0] & 15;
      const whole: tf.Tensor2D =
        rest === 0
          ? sums
          : tf.pad(sums, [
              [0, rest],
              [0, 0],
            ]);
      sums = tf.sum<tf.Tensor2D>(tf.reshape(whole, [whole.shape[0] / 16, 16, columns]), 1);
    }
    return tf.div<tf.Tensor2D>(sums, rows);
  });
}
