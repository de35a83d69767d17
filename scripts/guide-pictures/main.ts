/**
 * `npm run guide:pictures [topic ...]`: makes the pictures of docs/guides anew, docs/images/<topic>.jpg, from this
 * repository's own images. With VGG-19 where it is (TFJS_STYLE_TRANSFER_WEIGHTS, or fetched before), else with the
 * network that comes with the package.
 */
import { resolve } from 'node:path';
import type { Sharp } from 'sharp';
import { useWasm } from '../../src/node/index.ts';
import { color } from './color.ts';
import { mgan } from './mgan.ts';
import { otherNetworks } from './other-networks.ts';
import { page } from './page.ts';
import { painting } from './painting.ts';
import { regions } from './regions.ts';
import { settings } from './settings.ts';
import { sizes } from './sizes.ts';
import { statistics } from './statistics.ts';
import { styles } from './styles.ts';
import { train } from './train.ts';
import { video } from './video.ts';

/** What makes the picture of each topic. */
const topics: Readonly<Record<string, () => Promise<Sharp>>> = {
  color,
  mgan,
  'other-networks': otherNetworks,
  page,
  painting,
  regions,
  settings,
  sizes,
  statistics,
  styles,
  train,
  video,
};

/** Largest picture in the repository, in bytes. */
const largest = 150_000;

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(topics);
const unknown = wanted.find((topic) => !Object.hasOwn(topics, topic));
if (unknown !== undefined)
  throw new Error(`There is no topic ${unknown}; topics: ${Object.keys(topics).join(', ')}.`);
await useWasm();
for (const topic of wanted) {
  const path = resolve(import.meta.dirname, `../../docs/images/${topic}.jpg`);
  const picture = await topics[topic]();
  const bytes = await writeJpeg(picture, path);
  console.log(`${path}: ${bytes} bytes`);
}

/** Writes a picture in the highest quality of at most {@link largest} bytes. */
async function writeJpeg(picture: Sharp, path: string): Promise<number> {
  for (let quality = 92; ; quality -= 4) {
    const { size } = await picture.clone().jpeg({ quality, mozjpeg: true }).toFile(path);
    if (size <= largest || quality <= 40) return size;
  }
}
