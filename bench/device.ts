/// <reference types="@webgpu/types" />
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { lbfgs, minimize } from '../src/optim';
import { randomWeights } from '../test/engines/wasm/random-weights';
import { packDevice } from './device/pack';
import { findPython, type OnDevice, torchOnDevice } from './device/torch';
import { table } from './report';
import type { Scene } from './scene';
import { digits, elapsed, median } from './timing';
import { startWebgpu } from './webgpu/adapter';
import {
  activeGpu,
  type By,
  type Counted,
  commandsOf,
  counted,
  type Measured,
  measured,
  waves,
} from './webgpu/measured';
import { type KernelTime, timeKernels } from './webgpu/time-kernels';

/**
 * `npm run bench:device`: the engine webgpu on this machine's GPU, in `--minutes` at most: an evaluation of loss and
 * gradient to conv3_1 at each of `--sizes`, its kernels by the device's clock, and the optimiser's steps; beside tfjs
 * on the same device, and PyTorch's CUDA where a python has torch. Prints a table and writes all numbers to `--out`.
 * Weights are noise and pictures are waves, on which speed does not depend, so nothing is fetched. `--pack FOLDER`
 * makes a folder instead, that runs the same on a machine with neither this project nor Node: `FOLDER/run.sh`.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '256,512,1024,2048' },
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '4' },
    steps: { type: 'string', default: '20' },
    pytorch: { type: 'boolean', default: true },
    out: { type: 'string', default: 'device.json' },
    pack: { type: 'string' },
  },
  allowNegative: true,
});

/** What was measured of one kind of kernels at a size. */
interface Row {
  readonly size: number;
  readonly by: By | string;
  /** Milliseconds of an evaluation, read back each time. */
  readonly ms?: number | undefined;
  /** Milliseconds of the first one, which compiles. */
  readonly firstMs?: number | undefined;
  /** Milliseconds of an evaluation among ten that are submitted together. */
  readonly togetherMs?: number | undefined;
  /** Milliseconds of an evaluation in a run of L-BFGS, with all that the optimiser does. */
  readonly stepMs?: number | undefined;
  readonly loss?: number | undefined;
  readonly counted?: Counted | undefined;
  readonly kernels?: readonly KernelTime[] | undefined;
  /** Why there is no number. */
  readonly failed?: string | undefined;
}

async function main(): Promise<void> {
  const sizes = values.sizes.split(',').map(Number);
  const end = performance.now() + 60_000 * Number(values.minutes);
  const left = () => Math.max(0, end - performance.now());
  const rows: Row[] = [];
  const adapter = await startWebgpu();
  console.log(
    `${adapter.name}${adapter.software ? ' (software, no GPU)' : ''}, Node ${process.versions.node}`,
  );
  const save = () =>
    writeFile(values.out, `${JSON.stringify({ adapter, date: new Date(), rows }, null, 2)}\n`);
  const tell = async (row: Row) => {
    rows.push(row);
    console.log(JSON.stringify({ ...row, kernels: undefined }));
    await save();
  };
  const weights = randomWeights('conv3_1');
  // Our own kernels first, at every size: what time is left is for the others.
  for (const by of ['own', 'tfjs'] as const)
    for (const size of sizes) {
      // tfjs has no limit of its own on how long one of its runs takes.
      const share = by === 'own' ? 20_000 : 60_000;
      if (left() < share * Number(!adapter.software)) {
        await tell({ size, by, failed: 'no time left' });
        continue;
      }
      const at: Scene = { size, content: waves(size, 1), style: waves(size, 4) };
      try {
        await tell(await measureAt(by, weights, at));
      } catch (error) {
        await tell({ size, by, failed: String(error) });
      } finally {
        tf.dispose([at.content, at.style]);
      }
    }
  const python = values.pytorch ? findPython() : undefined;
  if (python && left() > 20_000) {
    const scenes = sizes.map((size) => ({ size, content: waves(size, 1), style: waves(size, 4) }));
    const found: OnDevice[] = await torchOnDevice(python, weights, scenes, left());
    for (const { size, device, how, ms, loss } of found)
      await tell({ size, by: `PyTorch ${device}, ${how}`, togetherMs: ms, loss });
  } else console.log('PyTorch is not there, or no time is left for it.');
  report(rows);
}

/** One kind of kernels at one size. */
async function measureAt(by: By, weights: Parameters<typeof measured>[1], at: Scene): Promise<Row> {
  const one = measured(by, weights, at);
  try {
    let loss = Number.NaN;
    const first = async () => {
      loss = await one.evaluate();
    };
    const firstMs = 1000 * (await elapsed(first));
    const budget = 1000 * Number(values.seconds);
    const ms = await repeated(budget, () => one.evaluate());
    const row = { size: at.size, by, firstMs, ms, loss };
    if (by === 'tfjs') return row;
    const commands = commandsOf(one, at.content);
    const togetherMs = await together(one, at, ms, budget);
    const stepMs = await steps(one, at, ms, budget);
    const kernels = await timeKernels(activeGpu(), commands, ms > 1000 ? 1 : 5);
    return { ...row, togetherMs, stepMs, counted: counted(commands), kernels };
  } finally {
    one.dispose();
  }
}

/** The median of the milliseconds of `run`, repeated for some time: at least once, at most 50 times. */
async function repeated(budgetMs: number, run: () => unknown): Promise<number> {
  const times: number[] = [];
  const start = performance.now();
  do times.push(1000 * (await elapsed(run)));
  while (performance.now() - start < budgetMs && times.length < 50);
  return median(times);
}

/** Milliseconds of an evaluation among several that are recorded before the first is waited for. */
async function together(
  { objective }: Measured,
  { content }: Scene,
  ms: number,
  budgetMs: number,
): Promise<number> {
  const count = ms * 10 > budgetMs ? 2 : 10;
  const all = async () => {
    const evaluations = Array.from({ length: count }, () => objective.evaluate(content));
    await evaluations[count - 1].value.data();
    for (const { value, gradient, terms } of evaluations) tf.dispose([value, gradient, terms]);
  };
  return (await repeated(budgetMs, all)) / count;
}

/** Milliseconds of an evaluation of L-BFGS, whose vectors are on the device. */
async function steps(
  { objective }: Measured,
  { content, size }: Scene,
  ms: number,
  budgetMs: number,
): Promise<number> {
  const maxEvaluations = Math.max(3, Math.min(Number(values.steps), Math.round((4 * budgetMs) / ms)));
  const start = tf.tidy(() => tf.add(tf.mul(content, 0.5), 0.25)) as typeof content;
  // Large vectors take memory: a short history, as the library's own plan would choose.
  const method = lbfgs({ memory: size > 1024 ? 5 : 20 });
  let evaluations = 1;
  const seconds = await elapsed(async () => {
    const { x, evaluations: done } = await minimize(objective, start, {
      method,
      bounds: [0, 1],
      maxEvaluations,
    });
    evaluations = done;
    x.dispose();
  });
  start.dispose();
  return (1000 * seconds) / evaluations;
}

function report(rows: readonly Row[]): void {
  const number = (value: number | undefined) => (value === undefined ? '' : digits(value));
  const body = rows.map(({ size, by, ms, firstMs, togetherMs, stepMs, loss, counted, failed }) => [
    String(size),
    by,
    number(firstMs),
    number(ms),
    number(togetherMs),
    number(stepMs),
    togetherMs && counted ? digits(counted.flop / togetherMs / 1e9) : '',
    failed ?? number(loss),
  ]);
  const head = [
    'size',
    'by',
    'first, ms',
    'evaluation, ms',
    'of ten, ms',
    'with L-BFGS, ms',
    'TFLOP/s',
    'loss',
  ];
  console.log(`\n${table(head, body)}`);
  for (const { size, kernels } of rows) {
    if (!kernels) continue;
    const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const lines = kernels
      .toSorted((a, b) => b.milliseconds - a.milliseconds)
      .slice(0, 20)
      .map(({ label, milliseconds, gigaflops, gigabytes }) => [
        label,
        digits(milliseconds),
        `${((100 * milliseconds) / total).toFixed(1)} %`,
        digits(gigaflops),
        digits(gigabytes),
      ]);
    console.log(
      `Kernels at ${size} pixels, ${digits(total)} ms in all:\n\n${table(['kernel', 'ms', 'share', 'GFLOP/s', 'GB/s'], lines)}`,
    );
  }
}

if (values.pack !== undefined) await packDevice(values.pack);
else {
  await main();
  // Dawn's threads would keep the program.
  process.exit(0);
}
