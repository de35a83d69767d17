import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { readImage } from '../../src/node/index.ts';

/** A photograph, or a rendered scene, and a painting. */
export interface Pair {
  readonly name: string;
  readonly content: Picture;
  readonly style: Picture;
}

/** A file, or a part of it. */
interface Picture {
  readonly file: string;
  /** Side of a square part in pixels, and its corner. */
  readonly part?: { readonly left: number; readonly top: number; readonly side: number };
}

const examples = resolve(import.meta.dirname, '../../examples/images');
const shared = process.env.TFJS_STYLE_TRANSFER_SHARED ?? resolve(import.meta.dirname, '../../../shared');

const astronaut = { file: `${shared}/images/astronaut.png` };
const face = { ...astronaut, part: { left: 130, top: 0, side: 240 } };
const coffee = { file: `${shared}/images/coffee.png` };
const starryNight = { file: `${shared}/images/starry_night.jpg` };
const lighthouse = { file: `${examples}/content.jpg` };
const stillLife = { file: `${examples}/content-still-life.jpg` };
const [evening, garden, town] = ['style', 'style-garden', 'style-town'].map((name) => ({
  file: `${examples}/${name}.jpg`,
}));

/** People, things and landscapes with smooth, coarse and fine paintings; some of them are there in this repository. */
export const pairs: readonly Pair[] = [
  { name: 'astronaut-starry', content: astronaut, style: starryNight },
  { name: 'coffee-garden', content: coffee, style: garden },
  { name: 'lighthouse-starry', content: lighthouse, style: starryNight },
  { name: 'face-town', content: face, style: town },
  { name: 'still-life-evening', content: stillLife, style: evening },
  { name: 'coffee-starry', content: coffee, style: starryNight },
  { name: 'lighthouse-town', content: lighthouse, style: town },
].filter(({ content, style }) => existsSync(content.file) && existsSync(style.file));

/** A picture with a longer side of `size` pixels, [height, width, 3] in [0,1]; it belongs to the caller. */
export async function readPicture({ file, part }: Picture, size: number): Promise<tf.Tensor3D> {
  if (!part) return readImage(file, { size });
  const { left, top, side } = part;
  const pixels = await sharp(file).extract({ left, top, width: side, height: side }).png().toBuffer();
  return readImage(pixels, { size });
}
