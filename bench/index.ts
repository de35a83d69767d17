import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { benchEngines } from './engines';
import { timeEngine, timeStock } from './evaluation';
import { evaluationTable, runTable } from './report';
import { timeRun } from './run';

/**
 * `npm run bench`: seconds of an evaluation by part, and the loss after so many evaluations, for each engine beside plain
 * `tf.valueAndGrad` over stock operations, in one run. `--json FILE` keeps the numbers.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '256,512' },
    counts: { type: 'string', default: '50,100,200' },
    runs: { type: 'string', default: '5' },
    engines: { type: 'string', default: '' },
    stock: { type: 'boolean', default: true },
    run: { type: 'boolean', default: true },
    json: { type: 'string' },
  },
  allowNegative: true,
});
const sizes = values.sizes.split(',').map(Number);
const counts = values.counts.split(',').map(Number);
const runs = Number(values.runs);
const engines = benchEngines.filter((engine) => engine.name.includes(values.engines));

await tf.setBackend('wasm');
await tf.ready();
const machine = `${cpus()[0].model}, ${availableParallelism()} threads, Node ${process.versions.node}`;
console.log(`${machine}\n`);

const evaluations = [];
for (const size of sizes) {
  for (const engine of engines) evaluations.push(await timeEngine(engine, size, runs));
  if (values.stock) evaluations.push(await timeStock(size, Math.min(runs, 3)));
}
console.log(evaluationTable(evaluations));

const wholeRuns = [];
if (values.run) {
  for (const size of sizes) {
    for (const engine of engines) wholeRuns.push(await timeRun(engine, size, counts));
  }
  console.log(runTable(wholeRuns));
}
if (values.json) {
  await mkdir(new URL('.', `file://${process.cwd()}/${values.json}`), { recursive: true });
  await writeFile(
    values.json,
    JSON.stringify({ machine, date: new Date().toISOString(), evaluations, runs: wholeRuns }, null, 2),
  );
}
