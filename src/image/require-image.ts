import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import { showValue } from '../options/show';
import type { Image } from './image';

/** Throws unless `image` is a tensor [height, width, 3] of at least one pixel. Values are not looked at: that needs a read-back. */
export function requireImage(option: string, image: unknown): asserts image is Image {
  const accepted = 'a tensor [height, width, 3], RGB in [0,1]';
  const found = image instanceof tf.Tensor ? `a tensor [${image.shape}]` : showValue(image);
  if (
    image instanceof tf.Tensor &&
    image.rank === 3 &&
    image.shape[2] === 3 &&
    image.size > 0 &&
    image.dtype === 'float32'
  )
    return;
  throw new ImageError('NOT_AN_IMAGE', `${option} is ${found}; accepted: ${accepted}.`, {
    option,
    value: image,
    accepted,
  });
}
