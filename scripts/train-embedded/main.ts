/**
 * Trains the network that comes with the package, from nothing but a seed: src/features/vgg19/embedded/embedded.bin.
 *
 *     npm run train:embedded [-- output file]
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { useWasm } from '../../src/node/use-wasm.ts';
import { encodeEmbedded } from './embedded-file.ts';
import { recipe } from './recipe.ts';
import { train } from './train.ts';

const file = resolve(
  process.argv[2] ?? `${import.meta.dirname}/../../src/features/vgg19/embedded/embedded.bin`,
);
const start = performance.now();
const tell = (step: string) =>
  console.log(`${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${step}`);

await useWasm();
const bytes = encodeEmbedded([...train(recipe, tell).values()], recipe.seed);
await writeFile(file, bytes);
console.log(`${file}  ${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`);
