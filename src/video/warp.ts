import * as tf from '@tensorflow/tfjs-core';
import { InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';

/**
 * A motion of pixels: [height, width, 2], float32, to the right and down, in pixels. The pixel x of one picture is at
 * x + flow(x) in another.
 */
export type Flow = tf.Tensor3D;

/**
 * Moves an image: the result at x is the image at x + flow(x), bilinear between pixels; beyond the border lies the
 * border. With the flow from a frame of a film to the one before, it moves the previous result to where its contents
 * are now. Exact where displacements are whole pixels. Differentiable with respect to the image.
 *
 * @param image [height, width, channels], float32; not disposed
 * @param flow [height, width, 2], see {@link Flow}; not disposed
 * @returns [height, width, channels]; it belongs to the caller
 * @throws InvalidArgumentError `WRONG_SHAPE` if the image is not of three dimensions, or the flow not of its size
 * @example
 * ```ts
 * const moved = warp(previousResult, await opticalFlow(frame, previousFrame));
 * ```
 */
export function warp(image: tf.Tensor3D, flow: Flow): tf.Tensor3D {
  if (!(image instanceof tf.Tensor) || image.rank !== 3 || image.size === 0) {
    const accepted = 'a tensor [height, width, channels]';
    const found = image instanceof tf.Tensor ? `a tensor [${image.shape}]` : showValue(image);
    throw new InvalidArgumentError('WRONG_SHAPE', `image is ${found}; accepted: ${accepted}.`, {
      option: 'image',
      value: image,
      accepted,
    });
  }
  const [height, width, channels] = image.shape;
  requireFlow('flow', flow, height, width);
  const compute = tf.customGrad((pixels, save) => {
    const corners = cornersOf(flow);
    (save as tf.GradSaveFunc)(corners.flatMap(({ at, weight }) => [at, weight]));
    const rows = tf.reshape(pixels as tf.Tensor, [height * width, channels]);
    const parts = corners.map(({ at, weight }) => tf.mul(tf.gather(rows, at), weight));
    const value = tf.reshape(tf.addN(parts), [height, width, channels]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const slopes = tf.reshape(dy, [height * width, channels]);
      // Every pixel gets back what it gave: positions that met at one pixel add up.
      const back = [0, 2, 4, 6].map((i) =>
        tf.scatterND(tf.expandDims(saved[i] as tf.Tensor1D, 1), tf.mul(slopes, saved[i + 1]), [
          height * width,
          channels,
        ]),
      );
      return tf.reshape(tf.addN(back), [height, width, channels]);
    };
    return { value, gradFunc };
  });
  return tf.tidy(() => compute(image) as tf.Tensor3D);
}

/** Throws unless `flow` is a {@link Flow} of height x width pixels. */
export function requireFlow(
  option: string,
  flow: unknown,
  height: number,
  width: number,
): asserts flow is Flow {
  const isTensor = flow instanceof tf.Tensor;
  const [h, w, two] = isTensor ? flow.shape : [];
  if (isTensor && flow.rank === 3 && h === height && w === width && two === 2 && flow.dtype === 'float32')
    return;
  const accepted = `a float32 tensor [${height}, ${width}, 2]`;
  const found = isTensor ? `a ${flow.dtype} tensor [${flow.shape}]` : showValue(flow);
  throw new InvalidArgumentError('WRONG_SHAPE', `${option} is ${found}; accepted: ${accepted}.`, {
    option,
    value: flow,
    accepted,
  });
}

/** The positions that a flow leads to, [height, width] each, in pixels from the left and from the top. */
export function positionsOf(flow: Flow): readonly [x: tf.Tensor2D, y: tf.Tensor2D] {
  const [height, width] = flow.shape;
  const [across, down] = tf.unstack(flow, 2) as [tf.Tensor2D, tf.Tensor2D];
  return [
    tf.add(across, tf.expandDims(tf.range(0, width, 1, 'float32'), 0)),
    tf.add(down, tf.expandDims(tf.range(0, height, 1, 'float32'), 1)),
  ];
}

/** The four pixels around each position and their weights, of sum 1: [positions] and [positions, 1]. */
function cornersOf(flow: Flow): readonly { readonly at: tf.Tensor1D; readonly weight: tf.Tensor2D }[] {
  const [height, width] = flow.shape;
  const [x, y] = positionsOf(flow);
  const [inX, inY] = [tf.clipByValue(x, 0, width - 1), tf.clipByValue(y, 0, height - 1)];
  const [x0, y0] = [tf.floor(inX), tf.floor(inY)];
  const [fx, fy] = [tf.sub(inX, x0), tf.sub(inY, y0)];
  const [left, top] = [tf.cast(x0, 'int32'), tf.cast(y0, 'int32')];
  const right = tf.minimum(tf.add(left, tf.scalar(1, 'int32')), tf.scalar(width - 1, 'int32'));
  const bottom = tf.minimum(tf.add(top, tf.scalar(1, 'int32')), tf.scalar(height - 1, 'int32'));
  const corner = (column: tf.Tensor, row: tf.Tensor, across: tf.Tensor, down: tf.Tensor) => ({
    at: tf.reshape<tf.Rank.R1>(tf.add(tf.mul(row, tf.scalar(width, 'int32')), column), [height * width]),
    weight: tf.reshape<tf.Rank.R2>(tf.mul(across, down), [height * width, 1]),
  });
  const [awayX, awayY] = [tf.sub(1, fx), tf.sub(1, fy)];
  return [
    corner(left, top, awayX, awayY),
    corner(right, top, fx, awayY),
    corner(left, bottom, awayX, fy),
    corner(right, bottom, fx, fy),
  ];
}
