import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../../image/image';

/** Mean difference that is added, so that two equal pictures have a finite loss and a gradient that is not. */
const least = 1e-3;

/**
 * How alike two pictures of one crop are that differ in noise alone, for a network with noise to use it and not to
 * paint one picture whatever it is (Ulyanov, Vedaldi and Lempitsky 2017, section 4): minus the logarithm of their mean
 * absolute difference. Of a batch of two, each is the other's nearest neighbour; the other is held fixed here, which
 * halves the gradient and leaves its direction.
 *
 * @param other remains the caller's, as `painted` does
 * @returns the gradient with respect to `painted`, which belongs to the caller
 */
export async function alikeness(
  painted: Image,
  other: Image,
): Promise<{ readonly value: number; readonly gradient: Image }> {
  const [difference, gradient] = tf.tidy(() => {
    const apart = tf.sub(painted, other);
    const mean = tf.add(tf.mean(tf.abs(apart)), least);
    return [mean, tf.div(tf.sign(apart), tf.mul(mean, -painted.size)) as Image] as const;
  });
  const [distance] = await difference.data<'float32'>();
  difference.dispose();
  return { value: -Math.log(distance), gradient };
}
