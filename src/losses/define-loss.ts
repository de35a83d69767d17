import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../features/layer-name';
import { registerGradients } from '../gradients';
import { requireLoss } from './compose';
import { type Loss, owningLoss } from './loss';
import { requireFeature } from './require-features';

/** The feature maps of certain layers, each [1, height, width, channels]. */
export type FeaturesOf<Layers extends readonly LayerName[]> = Readonly<Record<Layers[number], tf.Tensor4D>>;

/** The definition that {@link defineLoss} turns into a loss. */
export interface LossDefinition<Layers extends readonly LayerName[]> {
  /** Name of the loss in reports and of its term in results. */
  readonly name: string;
  /** The layers that `compute` reads; `'image'` is the image itself, [1, height, width, 3] in [0,1]. */
  readonly layers: Layers;
  /**
   * The loss, by differentiable tfjs operations. Runs in a `tf.tidy`, which frees intermediate tensors.
   * @param features the feature maps of `layers`; they belong to the caller
   * @returns a scalar
   */
  compute(features: FeaturesOf<Layers>): tf.Scalar;
  /** Frees what the loss holds, such as targets. Called once. */
  dispose?(): void;
}

/**
 * Makes a custom loss, typed by its layers. It composes like every other loss (`weighted`, `sum`) and runs with every
 * engine: an engine that computes the network outside of tfjs passes its features to `compute` as tensors. An image
 * that is too large to be computed as a whole takes custom losses of the layer `image` alone only (`NOT_TILEABLE`).
 *
 * @returns a loss that belongs to the caller; `dispose()` calls that of the definition
 * @throws InvalidArgumentError if the definition lacks `layers` or `compute`
 * @example
 * ```ts
 * const brightness = defineLoss({
 *   name: 'brightness',
 *   layers: ['image'],
 *   compute: ({ image }) => tf.mean(tf.square(tf.sub(image, 0.6))),
 * });
 * const loss = sum([styleLoss(style), weighted(10, brightness)]);
 * ```
 */
export function defineLoss<const Layers extends readonly LayerName[]>(
  definition: LossDefinition<Layers>,
): Loss {
  requireLoss('definition', definition);
  const { name, layers } = definition;
  return owningLoss(
    {
      name,
      layers: [...layers],
      compute: (features) =>
        tf.tidy(() => {
          registerGradients();
          const own = layers.map((layer) => [layer, requireFeature(name, features, layer)]);
          return definition.compute(Object.fromEntries(own) as FeaturesOf<Layers>);
        }),
    },
    [() => definition.dispose?.()],
  );
}
