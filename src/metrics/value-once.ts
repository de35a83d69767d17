import type { Scalar } from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import type { Loss } from '../losses/loss';

/** The value of a loss that is needed only once, and frees it. */
export function valueOnce(loss: Loss, features: Features): Scalar {
  try {
    return loss.compute(features);
  } finally {
    loss.dispose?.();
  }
}
