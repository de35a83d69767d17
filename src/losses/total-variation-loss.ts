import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../features/layer-name';
import { requireKnownOptions, requireName } from '../options/validate';
import { type Distance, distanceBetween, distances } from './distance';
import type { Loss } from './loss';
import { requireFeature } from './targets';

/** Options of {@link totalVariationLoss}. */
export interface TotalVariationLossOptions {
  /**
   * `'mse'`, squares of the differences between neighbours (smooth everywhere; Johnson et al. 2016 with exponent 1), or `'l1'`, their
   * magnitudes (anisotropic total variation proper). @default 'mse'
   */
  readonly distance?: Distance | undefined;
  /** Where to measure. @default 'image' */
  readonly layer?: LayerName | undefined;
}

/**
 * How rough an image is: the mean over horizontal neighbours plus the mean over vertical neighbours of their squared difference (or its
 * magnitude). A mean, so it does not depend on the image's size; never a square root, so its gradient is finite on flat areas.
 *
 * @returns a loss named `totalVariation`; an image one pixel wide or high has no neighbours that way, and 0 for it
 * @example
 * ```ts
 * const loss = sum([contentLoss(target), weighted(0.1, totalVariationLoss())]);
 * ```
 */
export function totalVariationLoss(options: TotalVariationLossOptions = {}): Loss {
  requireKnownOptions('totalVariationLoss', options, ['distance', 'layer']);
  const { distance = 'mse', layer = 'image' } = options;
  requireName('distance', distance, distances);
  return {
    name: 'totalVariation',
    layers: [layer],
    terms: [{ kind: 'totalVariation', layer, distance, weight: 1 }],
    compute: (features) => {
      const total = tf.customGrad((x, save) => {
        (save as tf.GradSaveFunc)([x as tf.Tensor4D]);
        const value = tf.addN([1, 2].map((axis) => roughness(x as tf.Tensor4D, axis, distance)));
        const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
          tf.mul(
            tf.addN([1, 2].map((axis) => roughnessGradient(saved[0] as tf.Tensor4D, axis, distance))),
            dy,
          );
        return { value, gradFunc };
      });
      return tf.tidy(() => total(requireFeature('totalVariationLoss', features, layer)) as tf.Scalar);
    },
  };
}

/** All but the last, and all but the first position along `axis`: each pair of neighbours. */
function neighbours(x: tf.Tensor4D, axis: number): [tf.Tensor4D, tf.Tensor4D] {
  const size = x.shape.map((n, i) => (i === axis ? n - 1 : n)) as [number, number, number, number];
  const begin = x.shape.map((_, i) => (i === axis ? 1 : 0)) as [number, number, number, number];
  return [tf.slice(x, [0, 0, 0, 0], size), tf.slice(x, begin, size)];
}

function roughness(x: tf.Tensor4D, axis: number, distance: Distance): tf.Scalar {
  if (x.shape[axis] < 2) return tf.scalar(0);
  const [first, second] = neighbours(x, axis);
  return distanceBetween(second, first, distance);
}

function roughnessGradient(x: tf.Tensor4D, axis: number, distance: Distance): tf.Tensor4D {
  if (x.shape[axis] < 2) return tf.zerosLike(x);
  const [first, second] = neighbours(x, axis);
  const difference = tf.sub(second, first);
  const gradient =
    distance === 'mse'
      ? tf.mul(difference, 2 / difference.size)
      : tf.mul(tf.sign(difference), 1 / difference.size);
  const padding = (before: number) =>
    x.shape.map((_, i) => (i === axis ? [before, 1 - before] : [0, 0])) as [number, number][];
  return tf.sub(tf.pad(gradient, padding(1)), tf.pad(gradient, padding(0)));
}
