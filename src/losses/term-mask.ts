import type { Tensor3D } from '@tensorflow/tfjs-core';

/**
 * Weights T of a term's positions: a sum over positions k becomes one over T_k times its summands. A position of a
 * deeper layer has the average of the weights over the window of pixels that its pooling covers.
 */
export interface TermMask {
  /** [height, width, 1] of the size of the image, finite numbers of at least 0. */
  readonly weights: Tensor3D;
  /**
   * What the weighted sum is divided by in a mean over positions: `'weights'` by the sum of the weights, so that the
   * size of a region does not change its strength; `'positions'` by the number of positions.
   */
  readonly mean: 'weights' | 'positions';
}
