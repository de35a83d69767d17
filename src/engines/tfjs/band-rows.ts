import * as tf from '@tensorflow/tfjs-core';
import type { Image } from '../../image/image';
import { rowsOf } from '../../tensor-rows';
import type { Rows } from '../shared/bands';

/** A feature map [1, height, width, channels] as a matrix [positions, channels], which shares its data. */
export const matrixOf = (map: tf.Tensor4D): tf.Tensor2D => tf.reshape(map, [-1, map.shape[3]]);

/** Adds up the gradients of bands, which overlap, from top to bottom. */
export class GradientSum {
  private readonly complete: Image[] = [];
  private open: { readonly from: number; readonly gradient: Image } | undefined;

  /** Adds the gradient of the next band and owns it from now on. */
  add({ from }: Rows, gradient: Image): void {
    const { open } = this;
    if (!open) {
      this.open = { from, gradient };
      return;
    }
    const above = from - open.from;
    const below = open.gradient.shape[0] - above;
    if (above > 0) this.complete.push(rowsOf(open.gradient, 0, above));
    const sum =
      below > 0
        ? tf.tidy(() => {
            const rows = Math.max(below, gradient.shape[0]);
            return tf.add<Image>(
              withRows(rowsOf(open.gradient, above, below), rows),
              withRows(gradient, rows),
            );
          })
        : gradient;
    tf.dispose(sum === gradient ? [open.gradient] : [open.gradient, gradient]);
    this.open = { from, gradient: sum };
  }

  /** The gradient of all `height` rows. */
  total(height: number): Image {
    const { open, complete } = this;
    const end = open ? withRows(open.gradient, height - open.from) : [];
    return tf.concat([...complete, ...[end].flat()]) as Image;
  }
}

/** An image with rows of zeros below. */
const withRows = (image: Image, rows: number): Image =>
  tf.pad(image, [
    [0, rows - image.shape[0]],
    [0, 0],
    [0, 0],
  ]);
