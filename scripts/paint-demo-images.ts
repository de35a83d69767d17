/**
 * Makes the pictures of examples/images: two scenes, rendered like photographs, and three paintings. All from the code
 * in scripts/paint and a seed, so that the repository holds no one else's work.
 *
 *     npx tsx scripts/paint-demo-images.ts [name ...]
 */
import { mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { type Painting, paint } from './paint/brush-painting.ts';
import { lighthouseScene } from './paint/lighthouse-scene.ts';
import { noonGarden, redTown, windyEvening } from './paint/paintings.ts';
import { render, type Scene } from './paint/ray-march.ts';
import { stillLifeScene } from './paint/still-life-scene.ts';

const folder = resolve(import.meta.dirname, '../examples/images');

const pictures: Readonly<Record<string, () => Sharp>> = {
  content: () => photograph(lighthouseScene(), 640, 480),
  'content-still-life': () => photograph(stillLifeScene(), 512, 512),
  style: () => painting(windyEvening),
  'style-garden': () => painting(noonGarden),
  'style-town': () => painting(redTown),
};

function photograph(scene: Scene, width: number, height: number): Sharp {
  return sharp(render(scene, width, height, 2), { raw: { width, height, channels: 3 } });
}

/** Painted at twice the size, so that single bristles show in the end. */
function painting(picture: Painting): Sharp {
  const size = 1024;
  const pixels = sharp(paint(picture, size), { raw: { width: size, height: size, channels: 3 } });
  return pixels.resize(size / 2, size / 2, { kernel: 'lanczos3' });
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(pictures);
await mkdir(folder, { recursive: true });
for (const name of wanted) {
  const make = pictures[name];
  if (!make) throw new Error(`There is no picture ${name}; there are ${Object.keys(pictures).join(', ')}.`);
  const file = resolve(folder, `${name}.jpg`);
  await make().jpeg({ quality: 90, chromaSubsampling: '4:4:4', mozjpeg: true }).toFile(file);
  console.log(`${file}  ${((await stat(file)).size / 1000).toFixed(0)} kB`);
}
