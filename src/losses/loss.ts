import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Features } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import { freeAll, Lifetime, type Owned } from '../owning';
import type { Distance, GramDistance } from './distance';
import type { GramNormalization } from './gram-matrix';
import type { TermMask } from './term-mask';

/**
 * A summand of a loss as data, so that an engine can compute it from features in its own memory: the distance of the
 * feature map of a layer from a target's, the distance of Gram matrices, or the mean distance of neighbouring pixels,
 * each perhaps with a mask. Targets and masks belong to the loss.
 */
export type LossTerm =
  | {
      readonly kind: 'feature';
      readonly layer: LayerName;
      readonly distance: Distance;
      readonly target: Tensor4D | ImageTarget;
      readonly weight: number;
      readonly mask?: TermMask | undefined;
    }
  | {
      readonly kind: 'gram';
      readonly layer: LayerName;
      readonly normalization: GramNormalization;
      readonly distance: GramDistance;
      readonly target: Tensor2D;
      readonly weight: number;
      readonly mask?: TermMask | undefined;
    }
  | {
      readonly kind: 'totalVariation';
      readonly layer: LayerName;
      readonly distance: Distance;
      readonly weight: number;
      readonly mask?: TermMask | undefined;
    };

/**
 * A summand of a style loss as data that compares another statistic than Gram matrices, so that an engine can compute
 * it in its own memory.
 */
export interface StatisticTerm {
  readonly layer: LayerName;
  readonly statistic: 'mean-variance' | 'wasserstein' | 'histogram';
  /**
   * Mean and variance: means and deviations, [1, channels] both. Wasserstein: means, the root of the covariance matrix,
   * its trace, the number that is added to the diagonal of covariance matrices, and the covariance matrix with it.
   * Histogram: quantiles in falling order, [channels, quantiles]. They belong to the loss.
   */
  readonly target: readonly Tensor[];
  readonly weight: number;
  /** Weights of positions, for statistics of moments: mean and variance, and Wasserstein. */
  readonly mask?: TermMask | undefined;
}

/**
 * The features of an image as the target of a term: whole, by `map`, or computed by an engine a part at a time from the
 * image, where the map of a large image would take too much memory.
 */
export interface ImageTarget {
  /** [height, width, 3], of the size of the image that the term is evaluated at. It belongs to the target. */
  readonly image: Image;
  /** Computes the feature map of the term's layer, [1, h, w, c], which belongs to the caller. */
  map(): Tensor4D;
  /** Frees the image. Safe to call twice. */
  dispose(): void;
}

/**
 * A scalar function of feature maps, which an optimiser minimises. `defineLoss` makes one from a function. A loss holds
 * its targets: `dispose()` frees them, and any later use of the loss throws `DISPOSED`.
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
  /**
   * The same loss as data: `compute` equals the sum of these, each times its `weight`. Engines compute such losses
   * themselves; losses without it are computed by tfjs from the engine's features.
   */
  readonly terms?: readonly LossTerm[] | undefined;
  /** The same loss as data, as {@link Loss.terms} are: `compute` equals the sum of these, each times its `weight`. */
  readonly statistics?: readonly StatisticTerm[] | undefined;
  /** The parts of a sum or of a weighted loss: `compute` equals the sum of these, each times its `weight`. */
  readonly parts?: readonly WeightedLoss[] | undefined;
}

/** A summand of a composed loss. */
export interface WeightedLoss {
  readonly weight: number;
  readonly loss: Loss;
}

/**
 * Makes a loss whose `dispose()` frees all of `held`, even if one of them throws, and which refuses use afterwards.
 */
export function owningLoss(loss: Omit<Loss, 'dispose'>, held: readonly Owned[]): Loss {
  const { name, layers, terms, statistics, parts } = loss;
  const lifetime = new Lifetime(`The loss '${name}'`);
  const alive = <T>(value: T): T => {
    lifetime.requireAlive();
    return value;
  };
  const guarded: Loss = {
    name,
    layers,
    compute: (features) => alive(loss).compute(features),
    dispose: () => {
      if (lifetime.end()) freeAll(held);
    },
  };
  if (terms) Object.defineProperty(guarded, 'terms', { get: () => alive(terms), enumerable: true });
  if (statistics)
    Object.defineProperty(guarded, 'statistics', { get: () => alive(statistics), enumerable: true });
  if (parts) Object.defineProperty(guarded, 'parts', { get: () => alive(parts), enumerable: true });
  return guarded;
}
