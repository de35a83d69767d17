import * as tf from '@tensorflow/tfjs-core';
import type { Rows } from './patches.ts';
import { principalComponents } from './principal-components.ts';

/** An affine map to fewer dimensions: (row - mean) times projection. */
export interface Whitening {
  /** [width] */
  readonly mean: Float32Array;
  /** [width, dimensions] */
  readonly projection: tf.Tensor2D;
}

/** How strongly {@link whitening} acts. */
export interface WhiteningOptions {
  /** Principal components that are kept. */
  readonly dimensions: number;
  /** 0 leaves variances as they are, 1 makes them all equal. */
  readonly strength: number;
  /** Added to each variance, as a part of their mean, so that noise is not blown up. */
  readonly floor: number;
}

/**
 * Principal components divided by their standard deviation to the power `strength`:
 * direction_k (variance_k + floor * mean variance)^(-strength / 2).
 */
export function whitening(rows: Rows, { dimensions, strength, floor }: WhiteningOptions): Whitening {
  const { mean, covariance } = moments(rows);
  const { variances, directions } = principalComponents(covariance, rows.width, dimensions);
  const least = (floor * variances.reduce((sum, value) => sum + value, 0)) / dimensions;
  const scales = variances.map((variance) => (variance + least) ** (-strength / 2));
  const projection = Float32Array.from(directions, (value, i) => value * scales[i % dimensions]);
  return { mean, projection: tf.tensor2d(projection, [rows.width, dimensions]) };
}

/** Mean and covariance [width, width] of rows. */
export function moments(rows: Rows): { mean: Float32Array; covariance: Float64Array } {
  const { count, width, values } = rows;
  const sums = new Float64Array(width);
  for (let i = 0; i < values.length; i++) sums[i % width] += values[i];
  const mean = Float32Array.from(sums, (sum) => sum / count);
  const covariance = new Float64Array(width * width);
  // Summed in float32 within a part and in float64 over the parts.
  forParts(centred(rows, mean), (part) => {
    const products = tf.matMul(tf.transpose(part), tf.add(part, 0)).dataSync();
    for (let i = 0; i < covariance.length; i++) covariance[i] += products[i] / (count - 1);
  });
  return { mean, covariance };
}

/** (row - mean) times projection for every row. */
export function whitened(rows: Rows, { mean, projection }: Whitening): Rows {
  const width = projection.shape[1];
  const values = new Float32Array(rows.count * width);
  forParts(centred(rows, mean), (part, start) => {
    values.set(tf.matMul(part, projection).dataSync(), start * width);
  });
  return { count: rows.count, width, values };
}

/** Rows less their mean; not by tfjs, whose wasm backend is slow where shapes differ. */
function centred({ count, width, values }: Rows, mean: Float32Array): Rows {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i] - mean[i % width];
  return { count, width, values: result };
}

/** Hands rows as tensors of a size that any backend likes to `use`, and frees all that it makes. */
export function forParts(
  { count, width, values }: Rows,
  use: (part: tf.Tensor2D, start: number) => void,
): void {
  const most = 4096;
  for (let start = 0; start < count; start += most) {
    const end = Math.min(count, start + most);
    tf.tidy(() => use(tf.tensor2d(values.subarray(start * width, end * width), [end - start, width]), start));
  }
}
