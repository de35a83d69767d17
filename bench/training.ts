/**
 * How well generators paint after how many steps: `npm run bench:training -- [--style picture] [--steps 400,1600]
 * [--base own|none|file] [--seed 0] [--out folder] [picture ...]`. Pictures are ones that nothing was trained on. Every
 * picture is painted at 256 pixels by each generator and by 50 evaluations of L-BFGS on the same loss; the table has
 * means over the pictures, and the total relative to L-BFGS's.
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type * as tf from '@tensorflow/tfjs-core';
import { loadProgram } from '../src/engines/load-program.ts';
import { heldOut } from '../src/generators/training/held-out.ts';
import { proceduralPictures } from '../src/generators/training/procedural-pictures.ts';
import type { TrainingProgress } from '../src/generators/training/progress.ts';
import { cropTensor } from '../src/generators/training/training-loop.ts';
import { presetTrainingLoss, withFloor } from '../src/generators/training/training-loss.ts';
import {
  loadVgg19,
  readImage,
  saveGenerator,
  styleTransfer,
  trainGenerator,
  useWasm,
  writeImage,
} from '../src/node/index.ts';
import { platform } from '../src/node/platform.ts';
import { presetLoss } from '../src/transfer/preset-loss.ts';
import { getPreset } from '../src/transfer/presets.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    style: { type: 'string', default: 'examples/images/style.jpg' },
    steps: { type: 'string', default: '400,1600' },
    base: { type: 'string', default: 'own' },
    seed: { type: 'string', default: '0' },
    out: { type: 'string', default: 'build/training' },
  },
});
const names =
  positionals.length > 0
    ? positionals
    : ['examples/images/content.jpg', 'examples/images/content-still-life.jpg'];
const { style: painting, base, out } = values;
const seed = Number(values.seed);
mkdirSync(out, { recursive: true });

await useWasm({ threads: 1 });
const extractor = await loadVgg19({ lastLayer: 'relu4_1' });
const style = await readImage(painting, { size: 256 });
const { signal } = new AbortController();
const pictures = await heldOut(platform, names, 256, signal);
const crops: tf.Tensor3D[] = [];
for (let i = 1; i <= 12; i++)
  crops.push(await cropTensor(proceduralPictures(seed), { seed: 0, step: -i, size: 128 }));
const preset = withFloor(getPreset('relative'), extractor, crops);
const judge = await presetTrainingLoss(
  preset,
  { alpha: undefined, beta: undefined },
  { extractor, style, signal },
);

const onProgress = (event: TrainingProgress) => {
  if (event.type !== 'step' || event.step % 25 > 0) return;
  const { step, meanLoss, secondsLeft } = event;
  console.log(`${step} steps  loss ${meanLoss.toFixed(3)}  ${secondsLeft.toFixed(0)} s left`);
};

/** Mean content, style and total of painted pictures; the pictures are saved and freed. */
async function judged(name: string, painted: readonly tf.Tensor3D[]) {
  const sums = { content: 0, style: 0, total: 0 };
  for (const [i, image] of painted.entries()) {
    const { value, terms, gradient } = await judge.at(image, pictures[i]);
    sums.content += terms.content / painted.length;
    sums.style += terms.style / preset.beta / painted.length;
    sums.total += value / painted.length;
    await writeImage(image, `${out}/${name.replaceAll(' ', '-')}-${i}.png`);
    gradient.dispose();
    image.dispose();
  }
  return { name, ...sums };
}

const trained: Awaited<ReturnType<typeof judged>>[] = [];
for (const steps of values.steps.split(',').map(Number)) {
  const start = performance.now();
  // A run that was interrupted goes on.
  const checkpoint = `${out}/${steps}.training`;
  const generator = await trainGenerator({
    style: painting,
    base,
    steps,
    seed,
    extractor,
    checkpoint,
    onProgress,
  });
  console.log(`${steps} steps took ${((performance.now() - start) / 1000).toFixed(0)} s`);
  await saveGenerator(`${out}/${steps}.safetensors`, generator);
  const program = await loadProgram(generator, {});
  const painted: tf.Tensor3D[] = [];
  for (const picture of pictures) painted.push(await program.run(picture));
  program.dispose();
  trained.push(await judged(`${steps} steps`, painted));
}
const optimised: tf.Tensor3D[] = [];
for (const content of pictures) {
  const loss = presetLoss(preset, { extractor, content, style });
  const { image } = await styleTransfer(content, style, { extractor, loss, size: 256, maxEvaluations: 50 });
  optimised.push(image);
  loss.dispose?.();
}
const untouched = pictures.map((picture) => picture.clone());
const best = await judged('L-BFGS', optimised);
console.log('| picture | content | style | total | times L-BFGS |\n|---|---|---|---|---|');
for (const { name, content, style: ofStyle, total } of [
  await judged('as it is', untouched),
  best,
  ...trained,
]) {
  const numbers = [content, ofStyle, total, total / best.total].map((value) => value.toFixed(3));
  console.log(`| ${name} | ${numbers.join(' | ')} |`);
}
