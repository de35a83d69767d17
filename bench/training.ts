/**
 * `npm run bench:training -- [--styles picture,picture] [--steps 400,1600] [--base own|none|file] [--seed 0] [--threads
 * 2] [--work folder] [--out file] [picture ...]`: seconds of a step of training, and how well generators paint
 * after how many steps. Squares of 256 pixels out of the middle of pictures that nothing was trained on are painted by
 * each generator and, on the same loss, by 50 evaluations of two optimisations: of plain L-BFGS with 20 pairs, as SciPy
 * has it, and of the library's default. Tables have means over the pictures, and totals relative to both. `--out FILE`
 * writes them to FILE.md; the folder `--work` keeps generators and pictures, and an interrupted training goes on.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';
import type * as tf from '@tensorflow/tfjs-core';
import { loadProgram } from '../src/engines/load-program.ts';
import type { Generator } from '../src/features/generator.ts';
import { withMeasuredFloor } from '../src/generators/training/measured-floor.ts';
import { proceduralPictures, usualDrawn } from '../src/generators/training/procedural-pictures.ts';
import type { TrainingProgress } from '../src/generators/training/progress.ts';
import { presetTrainingLoss, type TrainingLoss } from '../src/generators/training/training-loss.ts';
import {
  loadGenerator,
  loadVgg19,
  readImage,
  saveGenerator,
  styleTransfer,
  trainGenerator,
  useWasm,
  writeImage,
} from '../src/node/index.ts';
import { lbfgs } from '../src/optim/index.ts';
import { presetLoss } from '../src/transfer/preset-loss.ts';
import { getPreset } from '../src/transfer/presets.ts';
import { table } from './report.ts';
import { digits, median } from './timing.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    styles: { type: 'string', default: 'examples/images/style.jpg,examples/images/style-town.jpg' },
    steps: { type: 'string', default: '400,1600' },
    base: { type: 'string', default: 'own' },
    seed: { type: 'string', default: '0' },
    threads: { type: 'string', default: String(Math.min(8, availableParallelism())) },
    work: { type: 'string', default: 'build/training' },
    out: { type: 'string' },
  },
});
const names =
  positionals.length > 0
    ? positionals
    : ['examples/images/content.jpg', 'examples/images/content-still-life.jpg'];
const { base, work } = values;
const [seed, threads] = [Number(values.seed), Number(values.threads)];
const square = { size: 256, fit: 'cover' } as const;
await mkdir(work, { recursive: true });
await useWasm({ threads: 1 });
const extractor = await loadVgg19({ lastLayer: 'relu4_1', engine: 'wasm', threads });
const pictures: tf.Tensor3D[] = [];
for (const name of names) pictures.push(await readImage(name, square));
const preset = await withMeasuredFloor(getPreset('relative'), {
  extractor,
  pictures: proceduralPictures(seed, usualDrawn(400)),
  size: 128,
});

/** Mean content, style and total of painted pictures. */
interface Quality {
  readonly name: string;
  readonly content: number;
  readonly style: number;
  readonly total: number;
}

/** Seconds of steps, by the side of their crops. */
const seconds = new Map<number, number[]>();
const started = loadavg()[0];
const rows: string[][] = [];
for (const painting of values.styles.split(',')) {
  const name = basename(painting, extname(painting));
  const style = await readImage(painting, square);
  const judge = await presetTrainingLoss(
    preset,
    { alpha: undefined, beta: undefined },
    { extractor, style, signal: new AbortController().signal },
  );
  const judged = judgeOf(name, judge);
  const plain = await judged('50 evaluations of plain L-BFGS', await optimised(style, true));
  const best = await judged("50 of the library's", await optimised(style, false));
  const found = [
    await judged(
      'nothing',
      pictures.map((picture) => picture.clone()),
    ),
    plain,
    best,
  ];
  for (const steps of values.steps.split(',').map(Number))
    found.push(await judged(`${steps} steps`, await painted(await generatorOf(name, style, steps))));
  for (const { name: by, content, style: ofStyle, total } of found) {
    const numbers = [content, ofStyle, total, total / plain.total, total / best.total];
    rows.push([name, by, ...numbers.map((value) => value.toFixed(3))]);
  }
  judge.dispose();
  style.dispose();
}
const machine = `${cpus()[0].model.trim()}, ${threads} threads, load ${started.toFixed(1)} to ${loadavg()[0].toFixed(1)}`;
const tables = [
  `${machine}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`,
  table(
    ['crops', 's a step, median', 'least', 'steps'],
    [...seconds].map(([size, times]) => [
      `${size} pixels`,
      digits(median(times)),
      digits(Math.min(...times)),
      String(times.length),
    ]),
  ),
  table(['painting', 'painted by', 'content', 'style', 'total', 'of plain L-BFGS', "of the library's"], rows),
].join('\n\n');
console.log(tables);
if (values.out) await writeFile(`${values.out}.md`, `# A run of \`npm run bench:training\`\n\n${tables}\n`);

/** The generator of so many steps: one that is there from an earlier run, or a new one. */
async function generatorOf(name: string, style: tf.Tensor3D, steps: number): Promise<Generator> {
  const file = `${work}/${name}-${steps}.safetensors`;
  if (existsSync(file)) return loadGenerator(file);
  let before = performance.now();
  const onProgress = (event: TrainingProgress) => {
    const now = performance.now();
    if (event.type === 'step') {
      const { step, size, meanLoss, secondsLeft } = event;
      seconds.set(size, [...(seconds.get(size) ?? []), (now - before) / 1000]);
      if (step % 50 === 0)
        console.log(
          `${name} ${step}/${steps}  loss ${meanLoss.toFixed(3)}  ${secondsLeft.toFixed(0)} s left`,
        );
    }
    before = now;
  };
  const checkpoint = `${file}.training`;
  const generator = await trainGenerator({ style, base, steps, seed, extractor, checkpoint, onProgress });
  await saveGenerator(file, generator);
  return generator;
}

async function painted(generator: Generator): Promise<tf.Tensor3D[]> {
  const program = await loadProgram(generator, {});
  const images: tf.Tensor3D[] = [];
  for (const picture of pictures) images.push(await program.run(picture));
  program.dispose();
  return images;
}

async function optimised(style: tf.Tensor3D, plain: boolean): Promise<tf.Tensor3D[]> {
  const images: tf.Tensor3D[] = [];
  const optimizer = plain ? lbfgs<tf.Tensor3D>({ memory: 20, precision: 'float32' }) : undefined;
  for (const content of pictures) {
    const loss = presetLoss(preset, { extractor, content, style });
    const options = { extractor, loss, size: square.size, styleSize: square.size, scales: 1 } as const;
    const { image } = await styleTransfer(content, style, { ...options, optimizer, maxEvaluations: 50 });
    images.push(image);
    loss.dispose?.();
  }
  return images;
}

/** Judges painted pictures, which are saved and freed. */
function judgeOf(painting: string, judge: TrainingLoss) {
  return async (name: string, images: readonly tf.Tensor3D[]): Promise<Quality> => {
    const sums = { content: 0, style: 0, total: 0 };
    for (const [i, image] of images.entries()) {
      const { value, terms, gradient } = await judge.at(image, pictures[i]);
      sums.content += terms.content / images.length;
      sums.style += terms.style / preset.beta / images.length;
      sums.total += value / images.length;
      await writeImage(image, `${work}/${painting}-${name.replaceAll(/[^a-z0-9]+/gi, '-')}-${i}.png`);
      gradient.dispose();
      image.dispose();
    }
    console.log(`${painting}, ${name}: ${sums.total.toFixed(3)}`);
    return { name, ...sums };
  };
}
