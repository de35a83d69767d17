import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../../image/image';
import { rowsOf } from '../../tensor-rows';
import type { Band, Rows } from './bands';

/** The pixels that a band is computed from. */
export const partOf = (image: Image, { rows: { from, to } }: Pick<Band, 'rows'>): Image =>
  rowsOf(image, from, to - from);

/** Rows of a feature map as a map of their own. */
export function mapRows(map: tf.Tensor4D, { from, to }: Rows): tf.Tensor4D {
  return tf.tidy(() => tf.expandDims(rowsOf(tf.squeeze<tf.Tensor3D>(map, [0]), from, to - from), 0));
}
