import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { lucasKanade } from './flow/lucas-kanade';
import { lumaOf } from './flow/plane';
import type { Flow } from './warp';

/**
 * The motion between two frames of a film, a displacement for each pixel: `from` at x is nearly `to` at x + flow(x).
 * Lucas & Kanade 1981 on a pyramid, with medians of neighbours (Sun, Roth & Black 2010); computed on the processor from
 * the luma of both frames. Displacements of up to about a quarter of the shorter side are found. Surfaces without
 * structure take the motion of what is around them. Where the frames match as well without a motion, it is exactly 0.
 *
 * @param from [height, width, 3] in [0,1]; not disposed
 * @param to [height, width, 3] in [0,1], of the same size; not disposed
 * @returns [height, width, 2], see {@link Flow}; it belongs to the caller
 * @throws ImageError if one is not an image, or `DIFFERENT_SIZES`
 * @example
 * ```ts
 * const [backward, forward] = [await opticalFlow(frame, previous), await opticalFlow(previous, frame)];
 * const reliability = flowReliability(backward, forward);
 * ```
 */
export async function opticalFlow(from: Image, to: Image): Promise<Flow> {
  requireImage('from', from);
  requireImage('to', to);
  const [height, width] = from.shape;
  if (to.shape[0] !== height || to.shape[1] !== width) {
    const accepted = `an image of ${width}x${height}, the size of from`;
    throw new ImageError('DIFFERENT_SIZES', `to is ${to.shape[1]}x${to.shape[0]}; accepted: ${accepted}.`, {
      option: 'to',
      value: to,
      accepted,
    });
  }
  const [first, second] = [await from.data(), await to.data()];
  const { across, down } = lucasKanade(lumaOf(first, width, height), lumaOf(second, width, height));
  const values = new Float32Array(2 * width * height);
  for (let k = 0; k < width * height; k++) {
    values[2 * k] = across.values[k];
    values[2 * k + 1] = down.values[k];
  }
  return tf.tensor3d(values, [height, width, 2]);
}
