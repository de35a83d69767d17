import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Sharp } from 'sharp';
import { readImage, styleTransfer } from '../../src/node/index.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Sides of a picture; those of examples/images that are used here are squares. */
const size = 224;

/**
 * Above, content, two styles and the mask of the first region; below, the content in each style, in both by regions,
 * and without a style in the lower region.
 */
export async function regions(): Promise<Sharp> {
  const names = ['content-still-life', 'style-town', 'style-garden'];
  const [content, one, other] = await Promise.all(
    names.map((name) => readImage(`${images}/${name}.jpg`, { size })),
  );
  const [upper, lower] = tf.tidy(() => {
    const rows = tf.reshape(tf.range(0, size, 1), [size, 1, 1]);
    const above = tf.clipByValue(tf.div(tf.sub(size / 2 + 8, rows), 16), 0, 1);
    const mask = tf.tile(above, [1, size, 3]) as tf.Tensor3D;
    return [mask, tf.sub<tf.Tensor3D>(1, mask)];
  });
  const both = [{ content: upper }, { content: lower, styleImage: other }];
  const runs = [
    [one, {}],
    [other, {}],
    [one, { regions: both }],
    [one, { regions: [{ content: upper }, { content: lower, weight: 0 }] }],
  ] as const;
  const results = [];
  for (const [style, options] of runs) {
    const { image, loss } = await styleTransfer(content, style, { size, iterations: 30, ...options });
    console.log(`loss ${loss}`);
    results.push(image);
  }
  const all = [content, one, other, upper, ...results];
  try {
    return await sideBySide(all, 4);
  } finally {
    for (const image of [...all, lower]) image.dispose();
  }
}
