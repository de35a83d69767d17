/**
 * The most memory of a process that paints one image of SIZE x SIZE pixels by Johnson's network of WIDTH, on own
 * kernels: `tsx bench/generator-memory.ts SIZE WIDTH` prints it as JSON, in bytes. bench/generators.ts starts it, so
 * that nothing else is in the process.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { createGeneratorProgram } from '../src/engines/wasm/generator';
import { johnson } from '../src/generators/architectures/johnson';
import type { Image } from '../src/image/image';

const [size, width] = process.argv.slice(2).map(Number);
await tf.setBackend('cpu');
const { network, initialWeights } = johnson({ width });
const program = await createGeneratorProgram({ network, weights: initialWeights(1), threads: 2 });
const before = process.resourceUsage().maxRSS * 1024;
const image = tf.tensor3d(
  Float32Array.from({ length: size * size * 3 }, (_, i) => ((i * 37) % 251) / 250),
  [size, size, 3],
) as Image;
const start = performance.now();
(await program.run(image)).dispose();
const seconds = (performance.now() - start) / 1000;
image.dispose();
program.dispose();
console.log(JSON.stringify({ before, most: process.resourceUsage().maxRSS * 1024, seconds }));
process.exit();
