import * as tf from '@tensorflow/tfjs-core';
import type { StatisticTerm } from './loss';
import type { PositionWeights } from './pooled-mask';

/** A statistic of a feature map that stands for style, beside the Gram matrix. Tensors belong to the caller. */
export interface Statistic {
  /** Its name. */
  readonly name: StatisticTerm['statistic'];
  /**
   * Whether it consists of moments, sums over positions: then positions may have weights, and rows of a map may be
   * added up one after the other.
   */
  readonly ofMoments: boolean;
  /**
   * What is kept of a style's feature map [1, h, w, c] of any size.
   * @param weights of positions, only for moments
   */
  summary(feature: tf.Tensor4D, weights?: PositionWeights): Summary;
  /**
   * The summary of several styles in shares that add up to 1. Of moments it is that of all their positions together;
   * of quantiles their mean, the barycentre of one-dimensional distributions.
   */
  blend(summaries: readonly Summary[], shares: readonly number[]): Summary;
  /** What {@link distance} compares with. */
  target(summary: Summary): readonly tf.Tensor[];
  /**
   * The distance of a feature map's statistic from a target, without weights; differentiable by the feature map. Called
   * inside a `tf.tidy`.
   * @param weights of positions, only for moments
   */
  distance(feature: tf.Tensor4D, target: readonly tf.Tensor[], weights?: PositionWeights): tf.Scalar;
}

/** Tensors that describe the distribution of a map's features. */
export type Summary = readonly tf.Tensor2D[];

/** The mean of tensors in shares that add up to 1. */
export function mean(tensors: readonly tf.Tensor2D[], shares: readonly number[]): tf.Tensor2D {
  return tensors
    .map((tensor, i) => tf.mul<tf.Tensor2D>(tensor, shares[i]))
    .reduce((a, b) => tf.add<tf.Tensor2D>(a, b));
}
