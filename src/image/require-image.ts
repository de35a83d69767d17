import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import { showValue } from '../options/show';
import type { Image } from './image';

/**
 * Throws unless `image` is a float32 tensor [height, width, 3] of at least one pixel. Values are not checked, because
 * that needs a read-back.
 */
export function requireImage(option: string, image: unknown): asserts image is Image {
  const isTensor = image instanceof tf.Tensor;
  if (isTensor && image.isDisposed) {
    throw new ImageError('DISPOSED', `${option} is a tensor that has been disposed.`, {
      option,
      accepted: 'a tensor that is in use',
    });
  }
  const hasShape = isTensor && image.rank === 3 && image.shape[2] === 3 && image.size > 0;
  if (hasShape && image.dtype === 'float32') return;
  const accepted = 'a float32 tensor [height, width, 3], RGB in [0,1]';
  const found = isTensor ? `a tensor [${image.shape}] of ${image.dtype}` : showValue(image);
  // The result of tf.browser.fromPixels and tf.node.decodeImage is int32.
  const hint =
    hasShape && image.dtype === 'int32' ? ' If its values are from 0 to 255, pass tf.div(image, 255).' : '';
  throw new ImageError('NOT_AN_IMAGE', `${option} is ${found}; accepted: ${accepted}.${hint}`, {
    option,
    value: image,
    accepted,
  });
}
