import * as tf from '@tensorflow/tfjs-core';
import type { Padding } from '../../../features/padding';
import { addAll } from '../../../sums';

/** Rows or columns that are added before and behind. */
export type Pads = readonly [before: number, behind: number];

/** Axes of rows and columns of a feature map [1, height, width, channels]. */
const axes = [1, 2] as const;
type Axis = (typeof axes)[number];

/**
 * A feature map with a border. Mirrored lines are slices, reversed: the gradient of `tf.mirrorPad` is wrong on every
 * backend, and replication has no operation.
 */
export function padMap(map: tf.Tensor4D, padding: Padding, pads: Pads): tf.Tensor4D {
  const [before, behind] = pads;
  if (before === 0 && behind === 0) return map;
  if (padding === 'zero') return tf.pad(map, around(axes, pads));
  return axes.reduce((inner, axis) => {
    const size = inner.shape[axis];
    const parts =
      padding === 'reflect'
        ? [mirrored(inner, axis, 1, before), inner, mirrored(inner, axis, size - 1 - behind, behind)]
        : [...repeated(inner, axis, 0, before), inner, ...repeated(inner, axis, size - 1, behind)];
    return tf.concat(
      parts.filter((part) => part.shape[axis] > 0),
      axis,
    ) as tf.Tensor4D;
  }, map);
}

/** The adjoint of {@link padMap}: adds each line of the border to the line that it is a copy of. */
export function foldPads(gradient: tf.Tensor4D, padding: Padding, pads: Pads): tf.Tensor4D {
  const [before, behind] = pads;
  if (before === 0 && behind === 0) return gradient;
  return axes.reduce((outer, axis) => {
    const size = outer.shape[axis] - before - behind;
    const inner = linesOf(outer, axis, before, size);
    if (padding === 'zero') return inner;
    const copies = [
      [0, before, padding === 'reflect' ? 1 : 0],
      [before + size, behind, padding === 'reflect' ? size - 1 - behind : size - 1],
    ] as const;
    const added = copies
      .filter(([, count]) => count > 0)
      .map(([from, count, to]) => {
        const lines = linesOf(outer, axis, from, count);
        const folded: tf.Tensor4D =
          padding === 'reflect' ? tf.reverse(lines, axis) : tf.sum(lines, axis, true);
        return tf.pad(folded, around([axis], [to, size - to - folded.shape[axis]]));
      });
    return addAll([inner, ...added]);
  }, gradient);
}

/** `count` lines (rows or columns) of a map. */
export function linesOf(map: tf.Tensor4D, axis: Axis, from: number, count: number): tf.Tensor4D {
  const begin: [number, number, number, number] = [0, 0, 0, 0];
  const size = [...map.shape] as typeof begin;
  begin[axis] = from;
  size[axis] = count;
  return tf.slice(map, begin, size);
}

/** The argument of `tf.pad` that adds lines along some axes. */
export const around = (along: readonly Axis[], [before, behind]: Pads) =>
  [0, 1, 2, 3].map((axis): [number, number] =>
    (along as readonly number[]).includes(axis) ? [before, behind] : [0, 0],
  );

const mirrored = (map: tf.Tensor4D, axis: Axis, from: number, count: number): tf.Tensor4D =>
  tf.reverse(linesOf(map, axis, from, count), axis);

const repeated = (map: tf.Tensor4D, axis: Axis, at: number, count: number): tf.Tensor4D[] =>
  Array.from({ length: count }, () => linesOf(map, axis, at, 1));
