import * as tf from '@tensorflow/tfjs-core';
import { type Flow, positionsOf, requireFlow, warp } from './warp';

/**
 * Where the motion between two frames is known (Ruder, Dosovitskiy & Brox 2016, section 4, after Sundaram, Brox &
 * Keutzer 2010). 0 where one of these holds, else 1:
 *
 * - the pixel is hidden in the other frame, or comes from outside: following the motion there and back does not return
 *   to it, |w + v|^2 > 0.01 (|w|^2 + |v|^2) + 0.5, where w is the flow and v the other one, where w leads to;
 * - it is at the edge of a motion: |grad w_x|^2 + |grad w_y|^2 > 0.01 |w|^2 + 0.002.
 *
 * @param flow [height, width, 2], from this frame to the other; not disposed
 * @param back [height, width, 2], from the other frame to this one; not disposed
 * @returns [height, width] of 0 and 1, for `temporalLoss`; it belongs to the caller
 * @throws InvalidArgumentError `WRONG_SHAPE` if one is no flow, or they differ in size
 */
export function flowReliability(flow: Flow, back: Flow): tf.Tensor2D {
  const [height, width] = flow instanceof tf.Tensor ? flow.shape : [0, 0];
  requireFlow('flow', flow, height, width);
  requireFlow('back', back, height, width);
  return tf.tidy(() => {
    const other = warp(back, flow);
    const size = squaredLength(flow);
    const gap = squaredLength(tf.add<tf.Tensor3D>(flow, other));
    const sizes = tf.add<tf.Tensor2D>(size, squaredLength(other));
    const most = tf.add<tf.Tensor2D>(tf.mul(sizes, 0.01), 0.5);
    const returns = tf.lessEqual<tf.Tensor2D>(gap, most);
    const steepest = tf.add<tf.Tensor2D>(tf.mul(size, 0.01), 0.002);
    const smooth = tf.lessEqual<tf.Tensor2D>(squaredSlope(flow), steepest);
    const [x, y] = positionsOf(flow);
    const inside = tf.logicalAnd(isBetween(x, width - 1), isBetween(y, height - 1));
    return tf.cast<tf.Tensor2D>(
      tf.logicalAnd<tf.Tensor2D>(tf.logicalAnd<tf.Tensor2D>(returns, smooth), inside),
      'float32',
    );
  });
}

const squaredLength = (flow: tf.Tensor3D) => tf.sum<tf.Tensor2D>(tf.square(flow), 2);

const isBetween = (value: tf.Tensor2D, most: number): tf.Tensor2D =>
  tf.logicalAnd<tf.Tensor2D>(tf.greaterEqual(value, 0), tf.lessEqual(value, most));

/** |grad w_x|^2 + |grad w_y|^2 by central differences; at the border, by those to the pixel inside. */
function squaredSlope(flow: Flow): tf.Tensor2D {
  const along = (axis: 0 | 1): tf.Tensor2D => {
    const length = flow.shape[axis];
    if (length === 1) return tf.zeros([flow.shape[0], flow.shape[1]]);
    const part = (from: number, size: number) => {
      const [begin, extent] = [[0, 0, 0], [...flow.shape]];
      begin[axis] = from;
      extent[axis] = size;
      return tf.slice(flow, begin, extent);
    };
    const before = tf.concat([part(0, 1), part(0, length - 1)], axis);
    const after = tf.concat([part(1, length - 1), part(length - 1, 1)], axis);
    return squaredLength(tf.mul<tf.Tensor3D>(tf.sub(after, before), 0.5));
  };
  return tf.add(along(0), along(1));
}
