import * as tf from '@tensorflow/tfjs-core';
import { checkAllocations } from './allocation';
import { InvalidArgumentError } from './errors';
import type { FeatureExtractor, Features } from './features/extractor';
import type { LayerName } from './features/layer-name';
import { requireLayers } from './features/require-layers';
import { registerGradients } from './gradients';
import type { Image } from './image/image';
import { leaves } from './losses/compose';
import type { Loss } from './losses/loss';
import type { Problem } from './optim/problem';
import { showValue } from './options/show';
import { requireNumber } from './options/validate';
import { Lifetime, owning } from './owning';
import { addAll } from './sums';

/** A loss and its gradient at one image. All tensors belong to the caller. */
export interface Evaluation {
  readonly value: tf.Scalar;
  /** The gradient with respect to the image, [height, width, 3]. */
  readonly gradient: Image;
  /** The weighted contribution of each leaf of the loss by its name; they add up to `value`. */
  readonly terms: Readonly<Record<string, tf.Scalar>>;
}

/** A function for an optimiser: image -> value, gradient, terms. Nothing is read back from the device. */
export interface Objective {
  /**
   * The loss and its gradient at an image, [height, width, 3], RGB in [0,1], which remains the caller's.
   * @throws InvalidArgumentError `WRONG_SHAPE` if the image is not of the size that the objective was made for
   * @throws ComputationError `DISPOSED` after {@link dispose}
   */
  evaluate(image: Image): Evaluation;
  /**
   * Optional: the objective in the vector space of its engine. `minimize` then keeps its vectors there and makes
   * tensors only of the result and of images that `onStep` reads. Created for each run. Without it, vectors are
   * tensors.
   *
   * An engine returns `undefined` if `this.evaluate` is not its own, so that a copy of the objective with another
   * function, `{ ...objective, evaluate }`, is minimised by that function.
   */
  problem?(): Promise<Problem<unknown, unknown>> | undefined;
  /**
   * True if an engine has heard {@link ObjectiveOptions.grey}; otherwise `createObjective` sees to it, with tensors.
   */
  readonly grey?: boolean | undefined;
  /** Frees the objective's own memory, never the extractor or the loss. Safe to call twice. */
  dispose(): void;
}

/** Options of {@link createObjective}. */
export interface ObjectiveOptions {
  /**
   * Bytes that an engine may use for feature maps, targets and tiles, beside the network's weights. What does not fit
   * as a whole is computed by tiles, with the same result to rounding.
   * @default what the engine can address
   */
  readonly room?: number | undefined;
  /**
   * Whether to take the loss of the image's grey, the mean of its channels, in all three: the gradient has three equal
   * channels too, so that an optimiser that starts from a grey image paints in grey.
   * @default false
   */
  readonly grey?: boolean | undefined;
  /**
   * Called while an engine makes ready for the first evaluation of a minimisation, as WebGPU's kernels are compiled:
   * with the number of parts that are done, first 0, and of all.
   */
  readonly onPreparing?: ((done: number, total: number) => void) | undefined;
}

/** An extractor that may evaluate losses itself, as an engine's does. */
export interface ObjectiveExtractor extends FeatureExtractor {
  /**
   * A faster way from image to loss and gradient than {@link FeatureExtractor.linearize}, for losses that describe
   * themselves as data (`Loss.terms`) and images of one size.
   * @returns an objective that belongs to the caller, or undefined if the engine cannot evaluate this loss faster
   */
  objective?(
    loss: Loss,
    size: readonly [height: number, width: number],
    options?: ObjectiveOptions,
  ): Objective | undefined;
}

/**
 * Composes an extractor and a loss: the loss of an image and its gradient with respect to the image, in one forward and
 * one backward pass. An engine's extractor evaluates the loss itself if it can.
 *
 * @param extractor a `FeatureExtractor`, perhaps with more ({@link ObjectiveExtractor})
 * @param loss the loss to evaluate at each image
 * @param size [height, width] of the images that will be evaluated
 * @param options see {@link ObjectiveOptions}
 * @returns an objective, which belongs to the caller; the extractor and the loss stay the caller's and must outlive it
 * @throws InvalidArgumentError if the loss needs a layer that the extractor does not have, or `room` is no number
 *   above 0; EnvironmentError `OUT_OF_MEMORY` or `NOT_TILEABLE` if the room is too small
 * @example
 * ```ts
 * const objective = createObjective(extractor, loss, [image.shape[0], image.shape[1]]);
 * const { value, gradient } = objective.evaluate(image);
 * ```
 */
export function createObjective(
  extractor: ObjectiveExtractor,
  loss: Loss,
  size: readonly [height: number, width: number],
  options: ObjectiveOptions = {},
): Objective {
  requireLayers('loss', 'The loss', loss.layers, extractor);
  if (options.room !== undefined)
    requireNumber('room', options.room, { min: 0, exclusive: true, infinite: true });
  checkAllocations();
  const objective =
    extractor.objective?.(loss, size, options) ?? objectiveByLinearization(extractor, loss, size);
  return options.grey && !objective.grey ? greyObjective(objective) : objective;
}

/** The objective of the grey of images, see {@link ObjectiveOptions.grey}. It owns `objective`. */
function greyObjective(objective: Objective): Objective {
  return {
    grey: true,
    evaluate: (image) =>
      tf.tidy(() => {
        const { gradient, ...rest } = objective.evaluate(meanOfChannels(image));
        return { ...rest, gradient: meanOfChannels(gradient) };
      }),
    dispose: () => objective.dispose(),
  };
}

/** The mean of the channels, in each. */
const meanOfChannels = (image: Image): Image => tf.tile(tf.mean<Image>(image, 2, true), [1, 1, 3]);

function objectiveByLinearization(
  extractor: FeatureExtractor,
  loss: Loss,
  [height, width]: readonly [height: number, width: number],
): Objective {
  registerGradients();
  const life = new Lifetime('The objective');
  const parts = namedLeaves(loss);
  return {
    evaluate(image) {
      life.requireAlive();
      requireShape(image, [height, width, 3]);
      return owning(({ temporary }) => {
        const linearization = temporary(extractor.linearize(image, loss.layers));
        return tf.tidy(() => {
          const terms: Record<string, tf.Scalar> = {};
          const cotangents: Partial<Record<LayerName, tf.Tensor4D>> = {};
          for (const { name, weight, loss: leaf } of parts) {
            const { value, gradients } = valueAndCotangents(leaf, linearization.features);
            terms[name] = tf.mul(value, weight);
            for (const layer of leaf.layers) {
              const cotangent = tf.mul(gradients[layer] as tf.Tensor4D, weight) as tf.Tensor4D;
              const sumSoFar = cotangents[layer];
              cotangents[layer] = sumSoFar ? (tf.add(sumSoFar, cotangent) as tf.Tensor4D) : cotangent;
            }
          }
          const value: tf.Scalar = addAll(Object.values(terms));
          return { value, gradient: linearization.pullback(cotangents), terms };
        });
      });
    },
    dispose() {
      life.end();
    },
  };
}

function requireShape(image: unknown, shape: readonly number[]): void {
  const found = image instanceof tf.Tensor ? image.shape : image;
  if (image instanceof tf.Tensor && tf.util.arraysEqual(image.shape, [...shape])) return;
  const accepted = `the shape that the objective was made for, [${shape}]`;
  throw new InvalidArgumentError('WRONG_SHAPE', `The image is ${showValue(found)}; accepted: ${accepted}.`, {
    option: 'image',
    value: found,
    accepted,
  });
}

/** A loss and its gradients with respect to its own layers' features, by tfjs' autodiff. Both belong to the caller. */
export function valueAndCotangents(
  loss: Loss,
  features: Features,
): { value: tf.Scalar; gradients: Features } {
  registerGradients();
  const inputs = loss.layers.map((layer) => features[layer] as tf.Tensor4D);
  const withGradients = tf.valueAndGrads((...maps: tf.Tensor[]) =>
    loss.compute(Object.fromEntries(loss.layers.map((layer, i) => [layer, maps[i]])) as Features),
  );
  const { value, grads } = withGradients(inputs);
  return {
    value: value as tf.Scalar,
    gradients: Object.fromEntries(loss.layers.map((layer, i) => [layer, grads[i]])) as Features,
  };
}

/** The leaves of a loss under distinct names: a second `style` becomes `style 2`. */
export function namedLeaves(loss: Loss): { name: string; weight: number; loss: Loss }[] {
  const seen = new Map<string, number>();
  return leaves(loss).map((leaf) => {
    const count = (seen.get(leaf.loss.name) ?? 0) + 1;
    seen.set(leaf.loss.name, count);
    return { name: count === 1 ? leaf.loss.name : `${leaf.loss.name} ${count}`, ...leaf };
  });
}
