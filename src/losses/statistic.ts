import type * as tf from '@tensorflow/tfjs-core';

/** A statistic of a feature map that stands for style, beside the Gram matrix. */
export interface Statistic {
  /** The statistic of a style's feature map [1, h, w, c] of any size. The tensors belong to the caller. */
  target(feature: tf.Tensor4D): readonly tf.Tensor[];
  /**
   * The distance of a feature map's statistic from a target, without weights; differentiable by the feature map. Called
   * inside a `tf.tidy`.
   */
  distance(feature: tf.Tensor4D, target: readonly tf.Tensor[]): tf.Scalar;
}
