/**
 * A training in a process of its own, for tests that kill it: `training-program CHECKPOINT STYLE [STEP]`.
 * Prints each step, and at the end the hash of the generator's weights; waits for its end at the step that is given.
 */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { johnson } from '../../src/generators/architectures/johnson';
import { trainGenerator, useWasm } from '../../src/node';
import { tinyExtractor } from '../../src/testing';

const [checkpoint, style, last] = process.argv.slice(2);

async function main(): Promise<void> {
  await useWasm({ threads: 1 });
  const { weights } = await trainGenerator({
    style,
    images: [style],
    architecture: johnson({ width: 2, blocks: 1 }),
    extractor: tinyExtractor({ layers: ['relu4_1'] }),
    steps: 60,
    size: 64,
    styleSize: 64,
    checkpoint: checkpoint || undefined,
    async onProgress(event) {
      if (event.type === 'start') console.log(`resumed at ${event.resumedAt}`);
      if (event.type === 'step') console.log(`step ${event.step}`);
      if (event.type === 'step' && event.step === Number(last)) await setTimeout(3_600_000);
    },
  });
  const hash = createHash('sha256');
  for (const { values } of weights.values()) hash.update(new Uint8Array(values.slice().buffer));
  console.log(`weights ${hash.digest('hex')}`);
}

void main();
