import type { Scalar, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Distance } from './distance';
import type { GramNormalization } from './gram-matrix';

/**
 * One summand of a loss as data, so that an engine can compute it where the features already lie.
 * The tensors belong to the loss.
 */
export type LossTerm =
  | {
      readonly kind: 'feature';
      readonly layer: LayerName;
      readonly distance: Distance;
      readonly target: Tensor4D;
      readonly weight: number;
    }
  | {
      readonly kind: 'gram';
      readonly layer: LayerName;
      readonly normalization: GramNormalization;
      readonly distance: Distance;
      readonly target: Tensor2D;
      readonly weight: number;
    }
  | {
      readonly kind: 'totalVariation';
      readonly layer: LayerName;
      readonly distance: Distance;
      readonly weight: number;
    };

/**
 * A function of feature maps that is to become small. Write your own by implementing `name`, `layers` and `compute`.
 * A loss holds its targets: `dispose()` frees them.
 */
export interface Loss {
  /** For reports: `'content'`. */
  readonly name: string;
  /** The layers that {@link Loss.compute} reads. */
  readonly layers: readonly LayerName[];
  /** The loss at these features, by differentiable tfjs operations. The scalar belongs to the caller. */
  compute(features: Features): Scalar;
  /** Frees the targets. Safe to call twice. */
  dispose?(): void;
  /** The same loss as data: `compute` equals the weighted sum of these. Only losses that an engine can know have it. */
  readonly terms?: readonly LossTerm[] | undefined;
  /** Set on a sum or a weighted loss: what it is made of. `compute` equals the weighted sum of the parts. */
  readonly parts?: readonly WeightedLoss[] | undefined;
}

/** A summand of a composed loss. */
export interface WeightedLoss {
  readonly weight: number;
  readonly loss: Loss;
}
