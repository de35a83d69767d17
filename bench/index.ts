import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { flagValues } from '../src/cli/flag-values';
import type { PresetName } from '../src/transfer/presets';
import type { Scales } from '../src/transfer/scales';
import { benchEngines } from './engines';
import { type EvaluationTimes, timeEvaluations } from './evaluation';
import { type HistoryTimes, timeHistories } from './histories';
import { timeKernels } from './kernels';
import { type MemoryUse, measureMemory } from './memory';
import { type EvaluationPart, timeParts } from './parts';
import { findPython } from './pytorch';
import {
  evaluationTable,
  historyTable,
  kernelTable,
  memoryTable,
  partsTable,
  runTable,
  scalesTable,
  statisticsTable,
} from './report';
import { type RunTimes, timeRun, timeTutorial } from './run';
import { type ScaleTimes, timeScales } from './scales';
import { type StatisticTimes, timeStatistics } from './statistics';

/**
 * `npm run bench`: seconds of an evaluation by part, and the loss after so many evaluations, for each engine beside its
 * peers: plain `tf.valueAndGrad` over stock operations, tfjs with flipped filters, PyTorch where there is one.
 * `--parts`, `--kernels`, `--histories SIZES` (of L-BFGS), `--statistics SIZES` (of style) and `--memory SIZES` measure
 * these too. `--out FILE` writes the tables to FILE.md and the numbers to FILE.json. `--scales SIZES` paints at one
 * size and in stages, with `--preset NAME`, and says when the second has the loss of the first; `--schedule
 * 256:60,512:20` tries other stages. `--sizes '' --no-run` leaves the rest out. `--engines webgpu` measures that engine
 * instead, beside tfjs on the same device, and writes docs/benchmarks/webgpu.md.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '256,512' },
    counts: { type: 'string', default: '50,100,200' },
    rounds: { type: 'string', default: '5' },
    deep: { type: 'string', default: '' },
    engines: { type: 'string', default: '' },
    stock: { type: 'boolean', default: true },
    pytorch: { type: 'boolean', default: true },
    run: { type: 'boolean', default: true },
    parts: { type: 'boolean', default: false },
    kernels: { type: 'boolean', default: false },
    histories: { type: 'string', default: '' },
    memory: { type: 'string', default: '' },
    scales: { type: 'string', default: '' },
    statistics: { type: 'string', default: '' },
    schedule: { type: 'string', default: 'auto' },
    preset: { type: 'string', default: 'gatys2016' },
    out: { type: 'string' },
  },
  allowNegative: true,
});
const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
const sizes = numbers(values.sizes);
const counts = numbers(values.counts);
const rounds = Number(values.rounds);

if (values.engines === 'webgpu') {
  const { benchWebgpu } = await import('./webgpu/run');
  await benchWebgpu({ sizes, rounds, out: values.out ?? 'docs/benchmarks/webgpu' });
  // Dawn's threads would keep the program.
  process.exit(0);
}
await tf.setBackend('wasm');
await tf.ready();
const engines = (await benchEngines()).filter((engine) => engine.name.includes(values.engines));
const python = values.pytorch ? findPython() : undefined;
const machine = `${cpus()[0].model.trim()}, ${availableParallelism()} threads, Node ${process.versions.node}`;
const heading = `# A run of \`npm run bench\`

\`of stock\`, \`of contiguous\` and so on: the part of that peer's time. Medians; least and most in brackets. XNNPACK is
what tfjs-wasm computes with.`;
const sections: string[] = [];
const tell = (...lines: string[]) => {
  sections.push(...lines);
  console.log(`${lines.join('\n')}\n`);
};
tell(`${machine}, ${new Date().toISOString().slice(0, 10)}`);
if (values.pytorch && !python)
  console.log(
    'PyTorch is not there: no comparison with it. TFJS_STYLE_TRANSFER_PYTHON names a Python that has it.\n',
  );

const evaluations: EvaluationTimes[] = [];
const depths = [
  ...sizes.map((size) => ({ size, depth: 'conv3_1' as const })),
  ...numbers(values.deep).map((size) => ({ size, depth: 'conv5_1' as const })),
];
for (const { size, depth } of depths) {
  // Stock operations take minutes at larger sizes, and know the loss to conv3_1 only.
  const stock = values.stock && size <= 512 && depth === 'conv3_1';
  const able = engines.filter(({ largest }) => size <= largest);
  const found = await timeEvaluations({ size, depth, rounds, engines: able, python, stock });
  evaluations.push(...found);
  tell('', `Evaluations at ${size} pixels to ${depth}:`, '', evaluationTable(found));
}

const parts: EvaluationPart[] = [];
if (values.parts) {
  for (const { size, depth } of depths) {
    const found: EvaluationPart[] = [];
    for (const threads of [1, 2]) found.push(...(await timeParts(size, depth, threads, rounds)));
    parts.push(...found);
    tell('', `Parts of an evaluation of own kernels at ${size} pixels to ${depth}:`, '', partsTable(found));
  }
}

const runs: RunTimes[] = [];
if (values.run) {
  // Engines differ in time only; the fastest shows how the loss falls.
  for (const size of sizes.filter((size) => size <= 512)) {
    for (const engine of engines.filter(({ wholeRuns }) => wholeRuns))
      runs.push(await timeRun(engine, size, counts));
    if (python && size === 256) runs.push(await timeTutorial(python));
  }
  if (runs.length > 0) tell('', 'Whole runs:', '', runTable(runs));
}

const kernels = values.kernels ? await timeKernels(rounds) : [];
if (values.kernels) tell('', 'Kernels, GFLOP/s of the direct computation:', '', kernelTable(kernels));

const histories: HistoryTimes[] = [];
for (const size of numbers(values.histories)) histories.push(...(await timeHistories(size, rounds)));
if (histories.length > 0) tell('', 'Histories of L-BFGS on the wasm engine:', '', historyTable(histories));

const memory: MemoryUse[] = [];
for (const size of numbers(values.memory)) memory.push(await measureMemory(size));
if (memory.length > 0) {
  tell('', 'Memory of the engine, MB:', '', memoryTable(memory));
}

const statistics: StatisticTimes[] = [];
for (const size of numbers(values.statistics)) {
  for (const engine of engines) statistics.push(...(await timeStatistics(engine, size, rounds)));
}
if (statistics.length > 0)
  tell('', 'Evaluations at relu1_1 to relu5_1 and relu4_2 by statistic:', '', statisticsTable(statistics));

const scales: ScaleTimes[] = [];
for (const size of numbers(values.scales)) {
  const schedule = flagValues.scales(values.schedule) as Scales;
  scales.push(...(await timeScales(size, values.preset as PresetName, schedule)));
}
if (scales.length > 0) tell('', 'Runs at one size and in stages:', '', scalesTable(scales));

if (values.out) {
  const numbersOf = {
    machine,
    date: new Date().toISOString(),
    evaluations,
    parts,
    runs,
    kernels,
    histories,
    memory,
    scales,
    statistics,
  };
  await mkdir(dirname(values.out), { recursive: true });
  await writeFile(`${values.out}.json`, `${JSON.stringify(numbersOf, null, 2)}\n`);
  const text = `${heading}\n\n${sections.join('\n')}`.replace(/\n{3,}/g, '\n\n');
  await writeFile(`${values.out}.md`, `${text.trim()}\n`);
}
