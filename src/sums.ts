import * as tf from '@tensorflow/tfjs-core';

/**
 * The sum of all entries, in rounds of 16 at a time: tfjs sums in one float32 accumulator, which loses digits over thousands of
 * entries, while rounding errors of this sum grow with the logarithm of their number.
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
