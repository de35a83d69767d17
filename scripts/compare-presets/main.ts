/**
 * `npm run compare:presets -- [--size 320] [--presets crowsonkb,painting] [--pairs coffee-garden,...] [--out folder]`:
 * paints pairs of pictures by presets and prints how their pictures differ: distances relative to those of the first
 * preset, colour noise relative to the painting's, contrast along the border, evaluations. The folder keeps pictures
 * and figures, so that a run that was ended goes on where it was; in `sheet.png` the presets' columns are in another
 * order in each row, which `key.json` tells, so that one can judge before one knows. Needs VGG-19 to relu5_1
 * (TFJS_STYLE_TRANSFER_WEIGHTS, or ../shared/vgg19-uint8).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { contentDistance, styleDistance } from '../../src/metrics/index.ts';
import { loadVgg19, styleTransfer, useWasm, writeImage } from '../../src/node/index.ts';
import { getPreset, type PresetName } from '../../src/transfer/presets.ts';
import { contactSheet } from './contact-sheet.ts';
import { borderContrast, colourNoise } from './measures.ts';
import { type Pair, pairs, readPicture } from './pairs.ts';

/** What is measured of a picture. */
interface Figures {
  /** Squared difference of relu4_2 from the content's. */
  readonly content: number;
  /** Squared difference of Gram matrices at relu1_1 to relu5_1 from the painting's. */
  readonly style: number;
  /** Colour noise relative to the painting's. */
  readonly noise: number;
  readonly border: number;
  readonly evaluations: number;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '320' },
    presets: { type: 'string', default: 'crowsonkb,painting' },
    pairs: { type: 'string', default: pairs.map(({ name }) => name).join() },
    out: { type: 'string', default: 'build/compare-presets' },
  },
});
const size = Number(values.size);
const presets = values.presets.split(',').map((name) => getPreset(name as PresetName));
const out = resolve(values.out, String(size));
const weights =
  process.env.TFJS_STYLE_TRANSFER_WEIGHTS ?? resolve(import.meta.dirname, '../../../shared/vgg19-uint8');
const styleLayers = ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1', 'relu5_1'] as const;

mkdirSync(out, { recursive: true });
await useWasm();
using network = await loadVgg19({ weights, lastLayer: 'relu5_1', engine: 'wasm' });
const wanted = values.pairs.split(',').map((name) => {
  const pair = pairs.find((one) => one.name === name);
  if (!pair) throw new Error(`There is no pair ${name}; pairs: ${pairs.map((one) => one.name).join(', ')}.`);
  return pair;
});
const heads = ['pair', 'preset', 'content', 'style', 'noise', 'border', 'evaluations', 'seconds'];
console.log(`${size} pixels; content and style relative to ${presets[0].name}\n\n| ${heads.join(' | ')} |`);
console.log(`|${heads.map(() => '---').join('|')}|`);
for (const pair of wanted) {
  let first: Figures | undefined;
  for (const preset of presets) {
    const found = await figuresOf(pair, preset.name);
    first ??= found;
    const numbers = [
      (found.content / first.content).toFixed(2),
      (found.style / first.style).toFixed(3),
      found.noise.toFixed(2),
      found.border.toFixed(2),
      found.evaluations,
      found.seconds.toFixed(0),
    ];
    console.log(`| ${[pair.name, preset.name, ...numbers].join(' | ')} |`);
  }
}
if (presets.length > 1) {
  const rows = wanted.map((pair) => presets.map(({ name }) => ({ name, file: fileOf(pair, name) })));
  const key = await contactSheet(rows, resolve(out, 'sheet.png'));
  writeFileSync(resolve(out, 'key.json'), JSON.stringify(key, undefined, 2));
  console.log(`\n${resolve(out, 'sheet.png')}; the order of its columns: key.json`);
}

function fileOf(pair: Pair, preset: PresetName): string {
  return resolve(out, `${pair.name}-${preset}.png`);
}

/** Paints and measures, unless that has been done. */
async function figuresOf(pair: Pair, preset: PresetName): Promise<Figures> {
  const record = fileOf(pair, preset).replace(/png$/, 'json');
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8'));
  const [content, style] = [await readPicture(pair.content, size), await readPicture(pair.style, size)];
  using painted = await styleTransfer(content, style, {
    preset,
    size,
    styleSize: size,
    weights,
    engine: 'wasm',
  });
  const { image, evaluations, elapsedMs } = painted;
  await writeImage(image, fileOf(pair, preset));
  const figures: Figures = {
    content: await contentDistance(image, content, { extractor: network, layers: ['relu4_2'] }),
    style: await styleDistance(image, style, { extractor: network, layers: styleLayers }),
    noise: colourNoise(pixelsOf(image)) / colourNoise(pixelsOf(style)),
    border: borderContrast(pixelsOf(image)),
    evaluations,
    seconds: elapsedMs / 1000,
  };
  writeFileSync(record, JSON.stringify(figures));
  tf.dispose([content, style]);
  return figures;
}

function pixelsOf(image: tf.Tensor3D) {
  return { data: image.dataSync(), width: image.shape[1], height: image.shape[0] };
}
