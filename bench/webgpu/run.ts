/// <reference types="@webgpu/types" />
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { convolutionsOf } from '../../src/engines/webgpu/network/adapters';
import { table } from '../report';
import { benchWeights, scene } from '../scene';
import { digits, elapsed, type Timing, timeInTurn } from '../timing';
import { type Adapter, startWebgpu } from './adapter';
import { type Counted, commandsOf, counted, measured } from './measured';
import { assumed, expectedMs, type GpuModel, gpuModels } from './roofline';

/** Options of {@link benchWebgpu}. */
export interface WebgpuBenchOptions {
  /** Sizes that are measured. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Files to be written, without extension. */
  readonly out: string;
}

/** What was measured at a size on this adapter. */
interface Times {
  readonly size: number;
  readonly engine: string;
  readonly loss: number;
  readonly seconds: Timing;
  /** Seconds of the processor, of this whole program. */
  readonly processor: Timing;
}

/** What was measured on an adapter. */
interface MeasuredOn {
  readonly machine: string;
  readonly adapter: Adapter;
  readonly times: readonly Times[];
}

/** The commands at a size, and how long they take on each of the named GPUs. */
interface SizeCounts extends Counted {
  readonly size: number;
  readonly ms: readonly number[];
}

/** Sizes whose commands are counted. */
const countedSizes = [256, 512, 1024] as const;

/**
 * `npm run bench -- --engines webgpu`: an evaluation of loss and gradient to conv3_1 by this library's kernels beside
 * tfjs operations, on one device; what the kernels take, counted; and the time that named GPUs would need, by
 * arithmetic. Written to `docs/benchmarks/webgpu.md`, unless `--out` names other files.
 */
export async function benchWebgpu({ sizes, rounds, out }: WebgpuBenchOptions): Promise<void> {
  const adapter = await startWebgpu();
  const weights = await benchWeights();
  const times: Times[] = [];
  for (const size of sizes) {
    const at = await scene(size);
    const contenders = (['own', 'tfjs'] as const).map((by) => {
      const one = measured(by, weights, at);
      const found = { loss: 0, processor: [] as number[] };
      const name = by === 'own' ? 'own kernels, webgpu' : 'tfjs-webgpu, flipped filters';
      const run = async () => {
        const before = process.cpuUsage();
        const seconds = await elapsed(async () => {
          found.loss = await one.evaluate();
        });
        const { user, system } = process.cpuUsage(before);
        found.processor.push((user + system) / 1e6);
        return seconds;
      };
      return { name, run, one, found };
    });
    const timings = await timeInTurn(contenders, rounds);
    for (const [i, { name, one, found }] of contenders.entries()) {
      // The first is not counted: it compiles.
      const sorted = found.processor.slice(1).sort((a, b) => a - b);
      const processor = {
        median: sorted[Math.floor(sorted.length / 2)],
        min: sorted[0],
        max: sorted[sorted.length - 1],
        runs: sorted.length,
      };
      times.push({ size, engine: name, loss: found.loss, seconds: timings[i], processor });
      one.dispose();
    }
    tf.dispose([at.content, at.style]);
  }

  const counts: SizeCounts[] = [];
  for (const size of countedSizes) {
    const at = await scene(size);
    const commandsOn = ({ vendor, architecture = '', description = '' }: GpuModel) => {
      const how = convolutionsOf({ adapterInfo: { vendor, architecture, description } } as GPUDevice);
      const one = measured('own', weights, at, how);
      const commands = commandsOf(one, at.content);
      one.dispose();
      return commands;
    };
    const all = gpuModels.map((model) => ({ model, commands: commandsOn(model) }));
    const ms = all.map(({ model, commands }) => expectedMs(commands, model));
    counts.push({ size, ms, ...counted(all[all.length - 1].commands) });
    tf.dispose([at.content, at.style]);
  }

  const own: MeasuredOn = {
    machine: `${cpus()[0].model.trim()}, WebGPU on ${adapter.name}${adapter.software ? ' (software, no GPU)' : ''},\nNode ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`,
    adapter,
    times,
  };
  const others = (await measuredBefore(`${out}.json`)).filter(
    (one) => times.length === 0 || one.adapter.name !== adapter.name,
  );
  const all = times.length > 0 ? [...others, own] : others;
  const text = page(all, counts);
  console.log(text);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(`${out}.md`, text);
  await writeFile(`${out}.json`, `${JSON.stringify({ measured: all, counts }, null, 2)}\n`);
}

/** What earlier runs measured, on other adapters too: a run replaces what was measured on its own. */
async function measuredBefore(path: string): Promise<readonly MeasuredOn[]> {
  if (!existsSync(path)) return [];
  const { measured } = JSON.parse(await readFile(path, 'utf8')) as { measured?: readonly MeasuredOn[] };
  return measured ?? [];
}

function page(all: readonly MeasuredOn[], counts: readonly SizeCounts[]): string {
  return `# The engine webgpu: a run of \`npm run bench -- --engines webgpu\`

An evaluation is the loss and its gradient at conv1_1 to conv3_1, as in [evaluation](evaluation.md). Medians; least and
most in brackets.

${all.length > 0 ? measuredSection(all) : ''}## Counted

What the commands of an evaluation take on a GPU of no special kind: sums and products that are really done, bytes read
and written.

${table(
  ['size', 'commands', 'kernels', 'GFLOP', 'GB', 'FLOP a byte'],
  counts.map(({ size, dispatches, kernels, flop, bytes }) => [
    String(size),
    String(dispatches),
    String(kernels),
    digits(flop / 1e9),
    digits(bytes / 1e9),
    digits(flop / bytes),
  ]),
)}

## Expected

Arithmetic, not measurement: each command of the counts above takes as long as the slower of its sums, at
${100 * assumed.ofFlops} % of the GPU's stated speed, and its memory, at ${100 * assumed.ofBytes} %, and some microseconds to
the next one; ${assumed.wayMs} ms for the way there and back. Milliseconds an evaluation:

${table(
  ['GPU', 'TFLOP/s', 'GB/s', ...counts.map(({ size }) => `${size} px`)],
  gpuModels.map(({ name, teraflops, gigabytes }, i) => [
    name,
    String(teraflops),
    String(gigabytes),
    ...counts.map(({ ms }) => digits(ms[i])),
  ]),
)}

\`npm run bench:device\` measures on a GPU.
`;
}

function measuredSection(all: readonly MeasuredOn[]): string {
  const range = ({ median, min, max }: Timing) => `${digits(median)} (${digits(min)}-${digits(max)})`;
  const rows = (times: readonly Times[]) =>
    times.map(({ size, engine, loss, seconds, processor }) => {
      const peer = times.find((one) => one.size === size && one.engine.startsWith('tfjs'));
      const part = peer ? digits(processor.median / peer.processor.median) : '';
      return [String(size), engine, digits(loss), range(seconds), range(processor), part];
    });
  const head = ['size', 'kernels', 'loss', 's an evaluation', 'processor', "of tfjs' processor"];
  return `## Measured

Processor: seconds of all cores, which other programs on the machine change less than seconds of the clock.
On a software adapter both are of the processor: they compare kernels, and say nothing of a GPU. The first evaluation,
which compiles, is not counted.

${all.map(({ machine, times }) => `${machine}:\n\n${table(head, rows(times))}\n`).join('\n')}
`;
}
