import { resolve } from 'node:path';
import type { Sharp } from 'sharp';
import { transferColor } from '../../src/color/index.ts';
import { readImage, styleTransfer } from '../../src/node/index.ts';
import { colorChoices } from '../../src/transfer/color.ts';
import { sideBySide } from './side-by-side.ts';

const images = resolve(import.meta.dirname, '../../examples/images');

/** Sides of a picture; those of examples/images that are used here are squares. */
const size = 224;

/**
 * Above, content, style, and the results of `'style'` and `'content'`; below, the style in the content's colours by
 * `'covariance'`, and the results of the three methods that paint with such a style.
 */
export async function color(): Promise<Sharp> {
  const [content, style] = [
    await readImage(`${images}/content-still-life.jpg`, { size }),
    await readImage(`${images}/style-town.jpg`, { size }),
  ];
  const recolored = await transferColor(style, content, { method: 'covariance' });
  const results = [];
  for (const color of colorChoices) {
    const { image, loss } = await styleTransfer(content, style, { color, size, iterations: 40 });
    console.log(`${color}: loss ${loss}`);
    results.push(image);
  }
  const [inStyle, inGrey, ...moved] = results;
  const all = [content, style, inStyle, inGrey, recolored, ...moved];
  try {
    return await sideBySide(all, 4);
  } finally {
    for (const image of all) image.dispose();
  }
}
