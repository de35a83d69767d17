import * as tf from '@tensorflow/tfjs-core';
import { borderOf, type Padding } from '../../features/padding';

/** Axes of rows and columns of a feature map [1, height, width, channels]. */
const axes = [1, 2] as const;

/**
 * A feature map with a border of one row or column on every side. From slices: the gradient of `tf.mirrorPad` is wrong
 * on every backend, and replication has no operation.
 *
 * @param padding not `'zero'`
 */
export function withBorder(map: tf.Tensor4D, padding: Padding): tf.Tensor4D {
  return tf.tidy(() =>
    axes.reduce((inner, axis) => {
      const border = borderOf(padding, inner.shape[axis]);
      if (!border) return inner;
      const before = lineOf(inner, axis, border.before);
      return tf.concat([before, inner, lineOf(inner, axis, border.behind)], axis) as tf.Tensor4D;
    }, map),
  );
}

/** The adjoint of {@link withBorder}: adds each border line to the line that it is a copy of. */
export function foldBorder(gradient: tf.Tensor4D, padding: Padding): tf.Tensor4D {
  return tf.tidy(() =>
    axes.reduce((outer, axis) => {
      const size = outer.shape[axis] - 2;
      const border = borderOf(padding, size);
      if (!border) return outer;
      const added = (from: number, to: number) => {
        const around = [0, 1, 2, 3].map((one): [number, number] =>
          one === axis ? [to, size - 1 - to] : [0, 0],
        );
        return tf.pad(lineOf(outer, axis, from), around);
      };
      const inner = linesOf(outer, axis, 1, size);
      return tf.addN([inner, added(0, border.before), added(size + 1, border.behind)]) as tf.Tensor4D;
    }, gradient),
  );
}

const lineOf = (map: tf.Tensor4D, axis: 1 | 2, at: number): tf.Tensor4D => linesOf(map, axis, at, 1);

/** `count` rows (axis 1) or columns (axis 2) of a map. */
function linesOf(map: tf.Tensor4D, axis: 1 | 2, from: number, count: number): tf.Tensor4D {
  const begin: [number, number, number, number] = [0, 0, 0, 0];
  const size = [...map.shape] as typeof begin;
  begin[axis] = from;
  size[axis] = count;
  return tf.slice(map, begin, size);
}
