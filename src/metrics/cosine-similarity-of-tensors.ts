import * as tf from '@tensorflow/tfjs-core';
import { sumOf } from '../sums';
import { requireOneShape } from './planes';

/**
 * Cosine of the angle between two tensors read as vectors, as a differentiable function: a.b / (|a| |b|).
 * The differentiable form of {@link cosineSimilarity}, for use in losses. The gradient is written by hand, with respect
 * to both, and runs on every backend.
 *
 * Two zero vectors have similarity 1 (they are equal), one zero vector has 0; the gradient there is 0.
 *
 * @param a any shape: an image, or a feature map
 * @param b the same shape
 * @returns a scalar in [-1, 1]; it belongs to the caller
 * @throws InvalidArgumentError if the shapes differ
 * @example
 * ```ts
 * const direction = defineLoss({
 *   name: 'direction',
 *   layers: ['relu3_1'],
 *   compute: ({ relu3_1 }) => tf.tidy(() => tf.sub(1, cosineSimilarityOfTensors(relu3_1, target))),
 * });
 * ```
 */
export function cosineSimilarityOfTensors(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  requireOneShape('cosineSimilarityOfTensors', a, b);
  const compute = tf.customGrad((...inputs) => {
    const [x, y, save] = inputs as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const [normX, normY] = [norm(x), norm(y)];
    const bothZero = tf.cast(tf.equal(tf.add(normX, normY), 0), 'float32');
    const cosine = tf.divNoNan(tf.divNoNan(dot(x, y), normX), normY);
    save([x, y, normX, normY, cosine]);
    // d cos / da = (b / |b| - cos a / |a|) / |a|
    const gradFunc = (dy: tf.Scalar, saved: tf.Tensor[]): tf.Tensor[] => {
      const unit = [tf.divNoNan(saved[0], saved[2]), tf.divNoNan(saved[1], saved[3])];
      const gradient = (i: 0 | 1) =>
        tf.mul(tf.sub(unit[1 - i], tf.mul(saved[4], unit[i])), tf.divNoNan(dy, saved[2 + i]));
      return [gradient(0), gradient(1)];
    };
    return { value: tf.add<tf.Scalar>(cosine, bothZero), gradFunc };
  });
  return tf.tidy(() => compute(a, b) as tf.Scalar);
}

const norm = (x: tf.Tensor) => tf.sqrt(dot(x, x));

const dot = (x: tf.Tensor, y: tf.Tensor) => sumOf(tf.mul(x, y));
