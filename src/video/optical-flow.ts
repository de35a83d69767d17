import * as tf from '@tensorflow/tfjs-core';
import { ImageError } from '../errors';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import type { Flow } from './warp';

/**
 * The motion between two frames of a film, a displacement for each pixel: `from` at x is nearly `to` at x + flow(x).
 * Lucas & Kanade 1981 on a pyramid, with medians of neighbours (Sun, Roth & Black 2010); at the edges of objects pixels
 * take the displacement of a neighbour that matches better. Computed by kernels in WebAssembly, on the calling thread,
 * from the luma of both frames. Displacements of up to about a quarter of the shorter side are found. Surfaces without
 * structure take the motion of what is around them. Where the frames match as well without a motion, it is exactly 0.
 *
 * @param from [height, width, 3] in [0,1]; not disposed
 * @param to [height, width, 3] in [0,1], of the same size; not disposed
 * @returns [height, width, 2], see {@link Flow}; it belongs to the caller
 * @throws ImageError if one is not an image, or `DIFFERENT_SIZES`; EnvironmentError `NO_SIMD` or `NO_WASM` where
 *   WebAssembly with SIMD is missing or forbidden, `OUT_OF_MEMORY`
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
  return (await flows(from, to, 'there'))[0];
}

/** {@link opticalFlow} of images of one size, from `a` to `b` and from `b` to `a`; both belong to the caller. */
export const opticalFlowsBetween = (a: Image, b: Image): Promise<readonly Flow[]> =>
  flows(a, b, 'there and back');

async function flows(from: Image, to: Image, ways: 'there' | 'there and back'): Promise<readonly Flow[]> {
  // Films without flow, and pages without films, load no kernels for it.
  const { computeFlows } = await import('../engines/wasm/flow');
  const [height, width] = from.shape;
  const [first, second] = [await from.data(), await to.data()];
  const found = await computeFlows({ rgb: first, width, height }, { rgb: second, width, height }, ways);
  return found.map((values) => tf.tensor3d(values, [height, width, 2]));
}
