/**
 * Trains the generator that comes with the package, from nothing but a seed, on pictures that are drawn:
 * src/generators/base/base.bin. VGG-19 has to be there to conv4_1 (TFJS_STYLE_TRANSFER_WEIGHTS, or `weights fetch --to
 * conv4_1`). Goes on where it was interrupted.
 *
 *     npm run train:base [-- output file]
 */
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { trainGenerator, useWasm } from '../../src/node/index.ts';
import { baseBytes } from './base-bytes.ts';
import { recipe, takenAfter } from './recipe.ts';

const file = resolve(process.argv[2] ?? `${import.meta.dirname}/../../src/generators/base/base.bin`);
const checkpoint = `${file}.training`;

await useWasm({ threads: 1 });
const enough = new AbortController();
const training = trainGenerator({
  ...recipe,
  checkpoint,
  signal: enough.signal,
  onProgress(event) {
    if (event.type !== 'step') return;
    const { step, steps, meanLoss, secondsPerStep } = event;
    if (step % 25 === 0)
      console.log(`${step}/${steps}  loss ${meanLoss.toFixed(3)}  ${secondsPerStep.toFixed(2)} s/step`);
    if (step === takenAfter) enough.abort();
  },
});
await training.catch((error) => {
  if (!enough.signal.aborted) throw error;
});
const bytes = baseBytes(new Uint8Array(await readFile(checkpoint)));
await writeFile(file, bytes);
await rm(checkpoint);
console.log(`${file}  ${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`);
