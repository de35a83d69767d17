import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { benchEngines } from './engines';
import { timeEvaluations } from './evaluation';
import { findPython } from './pytorch';
import { evaluationTable, runTable } from './report';
import { timeRun } from './run';
import type { Depth } from './scene';

/**
 * `npm run bench`: seconds of an evaluation by part, and the loss after so many evaluations, for each engine beside plain
 * `tf.valueAndGrad` over stock operations, in one run. `--json FILE` keeps the numbers.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '256,512' },
    counts: { type: 'string', default: '50,100,200' },
    rounds: { type: 'string', default: '5' },
    depth: { type: 'string', default: 'conv3_1' },
    engines: { type: 'string', default: '' },
    stock: { type: 'boolean', default: true },
    pytorch: { type: 'boolean', default: true },
    run: { type: 'boolean', default: true },
    json: { type: 'string' },
  },
  allowNegative: true,
});
const sizes = values.sizes.split(',').map(Number);
const counts = values.counts.split(',').map(Number);
const rounds = Number(values.rounds);
const depth: Depth = values.depth === 'conv5_1' ? 'conv5_1' : 'conv3_1';
const engines = benchEngines.filter((engine) => engine.name.includes(values.engines));

await tf.setBackend('wasm');
await tf.ready();
const machine = `${cpus()[0].model}, ${availableParallelism()} threads, Node ${process.versions.node}`;
console.log(`${machine}\n`);
const python = values.pytorch ? findPython() : undefined;
if (values.pytorch && !python)
  console.log(
    'PyTorch is not there: no comparison with it. TFJS_STYLE_TRANSFER_PYTHON names a Python that has it.\n',
  );

const evaluations = [];
for (const size of sizes) {
  const options = { size, depth, rounds, engines, python };
  // Stock operations take minutes at large sizes.
  evaluations.push(...(await timeEvaluations({ ...options, stock: values.stock && size <= 256 })));
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
