import * as tf from '@tensorflow/tfjs-core';
import { ImageError, InvalidArgumentError } from '../errors';
import type { Features } from '../features/extractor';
import { registerGradients } from '../gradients';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { showValue } from '../options/show';
import { any, optionTable } from '../options/table';
import { requireNumber } from '../options/validate';
import { owning } from '../owning';
import { distanceBetween } from './distance';
import { type Loss, owningLoss } from './loss';
import { requireFeature } from './require-features';

/** Options of {@link edgeLoss}. */
export interface EdgeLossOptions {
  /**
   * Sides of the windows that the image is averaged over before its edges are compared, in pixels, 1 to 64: small ones
   * keep fine lines, large ones contours.
   * @default [4]
   */
  readonly pooling?: readonly number[] | undefined;
}

const edgeLossOptions = optionTable<EdgeLossOptions>()('edgeLoss', {
  pooling: any<readonly number[], { default: readonly number[] }>(
    'an array of whole numbers',
    Array.isArray,
    {
      default: [4],
    },
  ),
});

/**
 * Distance of an image's edges from the content image's (Li, Xu, Nie, Liu & Cohen-Or 2017, "Laplacian-steered neural
 * style transfer", eq. 4 and 5): the sum over window sizes p of mean((D(pool_p x) - D(pool_p content))^2), where pool_p
 * is the average over p x p pixels and D the sum over colours of the Laplacian [0 -1 0; -1 4 -1; 0 -1 0].
 *
 * The paper sums where this takes the mean, so that the loss does not depend on the size. Pixels beyond the last whole
 * window, and the outermost windows, which lack neighbours, are left out.
 *
 * @param target the content image, [height, width, 3] in [0,1]; not disposed, and not needed by the caller any more
 * @returns a loss named `edge` of the layer `image`; it belongs to the caller
 * @throws InvalidArgumentError if a window is out of range; ImageError if the target is not an image, or has fewer than
 *   three windows
 * @example
 * ```ts
 * const loss = sum([styleLoss(style), weighted(100, edgeLoss(content, { pooling: [4, 16] }))]);
 * ```
 */
export function edgeLoss(target: Image, options: EdgeLossOptions = {}): Loss {
  const { pooling } = edgeLossOptions.read(options);
  requireImage('target', target);
  requirePooling(pooling, target);
  return owning(({ result }) => {
    const image = tf.tidy(() => tf.expandDims<tf.Tensor4D>(target, 0));
    const edges = owning(({ temporary }) => {
      temporary(image);
      return pooling.map((side) => result(tf.keep(tf.tidy(() => laplacian(pooled(image, side))))));
    });
    const shape = [1, ...target.shape];
    const compute = (features: Features): tf.Scalar =>
      tf.tidy(() => {
        registerGradients();
        const found = requireFeature('edgeLoss', features, 'image');
        requireSize(found, shape);
        return pooling
          .map((side, i) => distanceBetween(laplacian(pooled(found, side)), edges[i], 'mse'))
          .reduce((a, b) => tf.add(a, b));
      });
    return owningLoss({ name: 'edge', layers: ['image'], compute }, edges);
  });
}

/** The average over windows of side x side pixels, [1, h, w, 3]. */
function pooled(image: tf.Tensor4D, side: number): tf.Tensor4D {
  if (side === 1) return image;
  const [, height, width, channels] = image.shape;
  const [rows, columns] = [Math.floor(height / side), Math.floor(width / side)];
  // Means along one axis and then the other: the gradient of tf.avgPool is not registered by tfjs-core.
  const whole = tf.slice(image, [0, 0, 0, 0], [1, rows * side, columns * side, channels]);
  const down = tf.mean(tf.reshape(whole, [rows, side, columns * side * channels]), 1);
  return tf.reshape(tf.mean(tf.reshape(down, [rows * columns, side, channels]), 1), [
    1,
    rows,
    columns,
    channels,
  ]);
}

/** [0 -1 0; -1 4 -1; 0 -1 0] summed over colours, where all neighbours are there: [h - 2, w - 2]. */
function laplacian(image: tf.Tensor4D): tf.Tensor2D {
  const [, height, width] = image.shape;
  const grey = tf.reshape(tf.sum(image, 3), [height, width]);
  const shifted = (y: number, x: number) => tf.slice(grey, [1 + y, 1 + x], [height - 2, width - 2]);
  const around = tf.addN([shifted(-1, 0), shifted(1, 0), shifted(0, -1), shifted(0, 1)]);
  return tf.sub(tf.mul(shifted(0, 0), 4), around);
}

function requirePooling(pooling: readonly number[], { shape }: Image): void {
  if (pooling.length === 0) {
    const accepted = 'at least one window size';
    throw new InvalidArgumentError(
      'EMPTY',
      `edgeLoss: pooling is ${showValue(pooling)}; accepted: ${accepted}.`,
      {
        option: 'pooling',
        value: pooling,
        accepted,
      },
    );
  }
  for (const [i, side] of pooling.entries()) {
    requireNumber(`pooling[${i}]`, side, { min: 1, max: 64, integer: true });
    const [height, width] = shape;
    if (Math.min(height, width) >= 3 * side) continue;
    const accepted = `at least ${3 * side}x${3 * side} pixels for windows of ${side}`;
    throw new ImageError(
      'TOO_SMALL',
      `edgeLoss: the image has ${width}x${height} pixels; accepted: ${accepted}.`,
      { option: 'target', value: shape, accepted },
    );
  }
}

function requireSize(found: tf.Tensor4D, shape: readonly number[]): void {
  if (tf.util.arraysEqual(found.shape, [...shape])) return;
  const accepted = `the content image's size, [${shape}]`;
  throw new InvalidArgumentError(
    'WRONG_SHAPE',
    `edgeLoss: the image is [${found.shape}]; accepted: ${accepted}.`,
    {
      option: 'image',
      value: found.shape,
      accepted,
    },
  );
}
