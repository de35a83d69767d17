import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { greyLevels, lumaWeights } from './grey';

/** The planes to compare: the grey of an image, 0.299 R + 0.587 G + 0.114 B, or each channel, averaging the results. */
export type Channels = 'luma' | 'rgb';

/** Every {@link Channels}. */
export const channelChoices: readonly Channels[] = ['luma', 'rgb'];

/** An image, or the feature `image` of an extractor: [height, width, channels] or [1, height, width, channels]. */
export type ImageTensor = tf.Tensor3D | tf.Tensor4D;

/** One plane of an image in double precision, row by row. */
export interface Plane {
  readonly values: Float64Array;
  readonly width: number;
  readonly height: number;
}

/**
 * The planes of an image that SSIM compares, and the value that represents 1 in them. Grey is rounded to 8 bits, as
 * `rgb2gray` and scikit-image's users do (unrounded, SSIM differs in the fourth digit), and stays in levels, which are
 * exact: its unit is 255.
 */
export async function readPlanes(
  image: Image,
  channels: Channels,
): Promise<{ planes: Plane[]; unit: number }> {
  const [height, width] = image.shape;
  const pixels = await image.data();
  if (channels === 'luma') {
    return { planes: [{ values: Float64Array.from(greyLevels(pixels)), width, height }], unit: 255 };
  }
  return { planes: channelPlanes(pixels, [height, width, 3]), unit: 1 };
}

/** Each channel of row-major pixels as a plane. */
export function channelPlanes(
  pixels: ArrayLike<number>,
  [height, width, depth]: readonly [number, number, number],
): Plane[] {
  return Array.from({ length: depth }, (_, channel) => {
    const values = new Float64Array(width * height);
    for (let i = 0; i < values.length; i++) values[i] = pixels[depth * i + channel];
    return { values, width, height };
  });
}

/** The planes of a tensor, less a constant for each: `planes` + `offset` is what is compared. */
export interface PlaneTensors {
  /** [planes, height, width] */
  readonly planes: tf.Tensor3D;
  /** [planes, 1, 1] */
  readonly offset: tf.Tensor3D;
}

/**
 * The planes of an image, one after another as a batch. Grey is computed from the channels' deviations from their
 * means, so that its rounding error is a fraction of the contrast and not of the brightness; this matters if
 * `dataRange` is small.
 */
export function toPlanes(image: ImageTensor, channels: Channels): PlaneTensors {
  const [height, width, depth] = heightWidthChannels(image.shape);
  const pixels = tf.reshape<tf.Rank.R3>(image, [height, width, depth]);
  if (channels === 'rgb') {
    return { planes: tf.transpose(pixels, [2, 0, 1]), offset: tf.zeros([depth, 1, 1]) };
  }
  const luma = tf.tensor1d([...lumaWeights]);
  const means = tf.mean(pixels, [0, 1]);
  const grey = tf.sum(tf.mul(tf.sub(pixels, means), luma), 2);
  return {
    planes: tf.reshape(grey, [1, height, width]),
    offset: tf.reshape(tf.sum(tf.mul(means, luma)), [1, 1, 1]),
  };
}

/** The adjoint of {@link toPlanes}: from a gradient with respect to the planes to one with respect to the image. */
export function fromPlanes(gradient: tf.Tensor3D, shape: readonly number[], channels: Channels): ImageTensor {
  const [height, width] = heightWidthChannels(shape);
  const pixels: tf.Tensor =
    channels === 'rgb'
      ? tf.transpose(gradient, [1, 2, 0])
      : tf.mul(tf.reshape(gradient, [height, width, 1]), tf.tensor1d([...lumaWeights]));
  return tf.reshape<tf.Rank>(pixels, [...shape] as [number, number, number]) as ImageTensor;
}

/** Throws unless the tensors are two images of one shape, with three channels if their grey is compared. */
export function requireImageTensors(
  caller: string,
  a: ImageTensor,
  b: ImageTensor,
  channels?: Channels,
): void {
  const accepted = `[height, width, ${channels === 'luma' ? 3 : 'channels'}], with or without a leading 1`;
  for (const [option, { shape, size }] of Object.entries({ a, b })) {
    const depth = shape[shape.length - 1];
    const fits = (shape.length === 3 || (shape.length === 4 && shape[0] === 1)) && size > 0;
    if (fits && (channels !== 'luma' || depth === 3)) continue;
    const message = `${caller}: ${option} has shape [${shape}]; accepted: ${accepted}.`;
    throw new InvalidArgumentError('WRONG_SHAPE', message, { option, value: shape, accepted });
  }
  requireOneShape(caller, a, b);
}

/** Throws unless two tensors have one shape. */
export function requireOneShape(caller: string, a: tf.Tensor, b: tf.Tensor): void {
  if (tf.util.arraysEqual(a.shape, b.shape)) return;
  const message = `${caller}: b has shape [${b.shape}]; accepted: that of a, [${a.shape}].`;
  const accepted = `[${a.shape}]`;
  throw new InvalidArgumentError('WRONG_SHAPE', message, { option: 'b', value: b.shape, accepted });
}

/** The last three lengths of a shape. */
export function heightWidthChannels(shape: readonly number[]): readonly [number, number, number] {
  const [height, width, channels] = shape.slice(-3);
  return [height, width, channels];
}
