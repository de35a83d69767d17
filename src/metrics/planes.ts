import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { lumaWeights } from './luma';

/** What of an image is compared: its grey, 0.299 R + 0.587 G + 0.114 B, or each of its channels, of which the mean is taken. */
export type Channels = 'luma' | 'rgb';

/** Every {@link Channels}. */
export const channelChoices: readonly Channels[] = ['luma', 'rgb'];

/** An image, or the feature `image` of an extractor: [height, width, channels] or [1, height, width, channels]. */
export type ImageTensor = tf.Tensor3D | tf.Tensor4D;

/** The planes of an image that are compared, one after another as a batch: [planes, height, width, 1]. */
export function toPlanes(image: ImageTensor, channels: Channels): tf.Tensor4D {
  const [height, width, depth] = heightWidthChannels(image.shape);
  return tf.tidy(() => {
    const pixels = tf.reshape(image, [height, width, depth]);
    if (channels === 'rgb') return tf.reshape(tf.transpose(pixels, [2, 0, 1]), [depth, height, width, 1]);
    return tf.reshape(tf.sum(tf.mul(pixels, tf.tensor1d([...lumaWeights])), 2), [1, height, width, 1]);
  });
}

/** The transposed map of {@link toPlanes}: a gradient with respect to the planes becomes one with respect to the image. */
export function fromPlanes(gradient: tf.Tensor4D, shape: readonly number[], channels: Channels): ImageTensor {
  const [height, width, depth] = heightWidthChannels(shape);
  return tf.tidy((): ImageTensor => {
    const pixels =
      channels === 'rgb'
        ? tf.transpose(tf.reshape(gradient, [depth, height, width]), [1, 2, 0])
        : tf.mul(tf.reshape(gradient, [height, width, 1]), tf.tensor1d([...lumaWeights]));
    return shape.length === 3
      ? tf.reshape<tf.Rank.R3>(pixels, [height, width, depth])
      : tf.reshape<tf.Rank.R4>(pixels, [1, height, width, depth]);
  });
}

/** Throws unless the tensors are two images of one shape, of three channels where their grey is wanted. */
export function requireImageTensors(
  caller: string,
  a: ImageTensor,
  b: ImageTensor,
  channels?: Channels,
): void {
  const accepted = `[height, width, ${channels === 'luma' ? 3 : 'channels'}], with a 1 before it or not`;
  for (const [option, { shape, size }] of Object.entries({ a, b })) {
    const depth = shape[shape.length - 1];
    const fits = (shape.length === 3 || (shape.length === 4 && shape[0] === 1)) && size > 0;
    if (fits && (channels !== 'luma' || depth === 3)) continue;
    const message = `${caller}: ${option} has shape [${shape}]; accepted: ${accepted}.`;
    throw new InvalidArgumentError('WRONG_SHAPE', message, { option, value: shape, accepted });
  }
  if (tf.util.arraysEqual(a.shape, b.shape)) return;
  throw new InvalidArgumentError(
    'WRONG_SHAPE',
    `${caller}: b has shape [${b.shape}]; accepted: that of a, [${a.shape}].`,
    {
      option: 'b',
      value: b.shape,
      accepted: `[${a.shape}]`,
    },
  );
}

/** The last three lengths of a shape. */
export function heightWidthChannels(shape: readonly number[]): readonly [number, number, number] {
  const [height, width, channels] = shape.slice(-3);
  return [height, width, channels];
}
