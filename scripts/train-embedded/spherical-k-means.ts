import * as tf from '@tensorflow/tfjs-core';
import type { Random } from '../../src/random.ts';
import type { Rows } from './patches.ts';
import { forParts } from './whitening.ts';

/**
 * Directions that rows cluster around (Coates & Ng 2012): each row belongs to the centre with the largest inner
 * product, and a centre becomes the sum of its rows, each times that product where it is positive, at length 1. A
 * centre without rows starts anew at a row.
 *
 * @param rows each of length 1
 * @returns `clusters` rows of length 1
 */
export function sphericalKMeans(random: Random, rows: Rows, clusters: number, iterations: number): Rows {
  const { width, count, values } = rows;
  let centres = new Float32Array(clusters * width);
  for (const [k, row] of random.sample(clusters, count).entries()) {
    centres.set(values.subarray(row * width, (row + 1) * width), k * width);
  }
  for (let i = 0; i < iterations; i++) {
    const sums = new Float32Array(clusters * width);
    const columns = tf.tidy(() => tf.transpose(tf.tensor2d(centres, [clusters, width])));
    forParts(rows, (part, start) => {
      const products = tf.matMul(part, columns);
      const nearest = tf.argMax(products, 1).dataSync();
      const largest = tf.max(products, 1).dataSync();
      for (let row = 0; row < nearest.length; row++) {
        const weight = Math.max(0, largest[row]);
        const from = (start + row) * width;
        const to = nearest[row] * width;
        for (let c = 0; c < width; c++) sums[to + c] += weight * values[from + c];
      }
    });
    columns.dispose();
    for (let k = 0; k < clusters; k++) {
      const centre = sums.subarray(k * width, (k + 1) * width);
      if (length(centre) > 1e-6) continue;
      const row = random.integer(count);
      centre.set(values.subarray(row * width, (row + 1) * width));
    }
    centres = sums;
    normaliseRows({ count: clusters, width, values: centres });
  }
  return { count: clusters, width, values: centres };
}

/** Rows at length 1, without the part of them that are shortest, whose directions are mostly noise. */
export function directionsOfLongest(rows: Rows, dropped: number): Rows {
  const { width, values, count } = rows;
  const lengths = Float32Array.from({ length: count }, (_, row) =>
    length(values.subarray(row * width, (row + 1) * width)),
  );
  const limit = lengths.toSorted()[Math.floor(dropped * count)];
  const kept = Array.from(lengths.keys()).filter((row) => lengths[row] > limit);
  const result = { count: kept.length, width, values: new Float32Array(kept.length * width) };
  for (const [i, row] of kept.entries())
    result.values.set(values.subarray(row * width, (row + 1) * width), i * width);
  normaliseRows(result);
  return result;
}

function normaliseRows({ count, width, values }: Rows): void {
  for (let row = 0; row < count; row++) {
    const vector = values.subarray(row * width, (row + 1) * width);
    const factor = 1 / length(vector);
    for (let c = 0; c < width; c++) vector[c] *= factor;
  }
}

function length(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
