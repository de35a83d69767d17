import * as tf from '@tensorflow/tfjs-core';
import type { LayerName } from '../features/layer-name';
import { registerGradients } from '../gradients';
import { requireLoss } from './compose';
import { type Loss, owningLoss } from './loss';
import { requireFeature } from './require-features';

/** The feature maps of certain layers, each [1, height, width, channels]. */
export type FeaturesOf<Layers extends readonly LayerName[]> = Readonly<Record<Layers[number], tf.Tensor4D>>;

/** What {@link defineLoss} makes a loss of. */
export interface LossDefinition<Layers extends readonly LayerName[]> {
  /** For reports; terms of a result are named by it. */
  readonly name: string;
  /** The layers that `compute` reads; `'image'` is the image itself, [1, height, width, 3] in [0,1]. */
  readonly layers: Layers;
  /**
   * The loss, by differentiable tfjs operations. Runs in a `tf.tidy`, so what it makes on the way is freed.
   * @param features the feature maps of `layers`; they belong to the caller
   * @returns a scalar
   */
  compute(features: FeaturesOf<Layers>): tf.Scalar;
  /** Frees what the loss holds, such as targets. Called once. */
  dispose?(): void;
}

/**
 * A loss of one's own, typed by its layers. It composes like every other (`weighted`, `sum`) and runs with every engine; where an
 * engine computes the network outside of tfjs, `compute` gets its features as tensors.
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
