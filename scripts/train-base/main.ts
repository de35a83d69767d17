/**
 * Trains the generator that comes with the package, from nothing but a seed, on pictures that are drawn:
 * src/generators/base/base.bin. VGG-19 has to be there to conv4_1 (TFJS_STYLE_TRANSFER_WEIGHTS, or `weights fetch --to
 * conv4_1`). Goes on where it was interrupted; takes about an hour on two cores.
 *
 *     npm run train:base [-- output file]
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Generator } from '../../src/features/generator.ts';
import { trainGenerator, useWasm } from '../../src/node/index.ts';
import { baseBytes, baseFrom } from './base-bytes.ts';
import { architecture, name, stages } from './recipe.ts';

const file = resolve(process.argv[2] ?? `${import.meta.dirname}/../../src/generators/base/base.bin`);
/** The files of the stages that are done. */
const parts = stages.map((_, i) => `${file}.${i + 1}`);

await useWasm({ threads: 1 });
let before: Generator | undefined;
for (const [i, stage] of stages.entries()) {
  if (!existsSync(parts[i])) {
    const checkpoint = `${parts[i]}.training`;
    const generator = await trainGenerator({
      ...stage,
      name,
      architecture,
      base: before ?? 'none',
      checkpoint,
      onProgress(event) {
        if (event.type !== 'step' || event.step % 25 > 0) return;
        const { step, steps, meanLoss, secondsPerStep } = event;
        console.log(`${step}/${steps}  loss ${meanLoss.toFixed(3)}  ${secondsPerStep.toFixed(2)} s/step`);
      },
    });
    await writeFile(parts[i], baseBytes(generator));
    await rm(checkpoint);
  }
  before = baseFrom(new Uint8Array(await readFile(parts[i])));
}
const bytes = await readFile(parts[parts.length - 1]);
await writeFile(file, bytes);
for (const part of parts) await rm(part);
console.log(`${file}  ${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`);
