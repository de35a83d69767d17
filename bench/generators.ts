import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { GeneratorProgram } from '../src/engines/engine';
import { loadTfjsGenerator } from '../src/engines/tfjs/tfjs-engine';
import { createGeneratorProgram } from '../src/engines/wasm/generator';
import { johnson } from '../src/generators/architectures/johnson';
import type { Image } from '../src/image/image';
import { findOnnxPython, startOnnxPeer } from './onnx-peer';
import { table } from './report';
import { type Contender, digits, elapsed, type Timing, timeInTurn } from './timing';

/**
 * `npm run bench:generators`: seconds of an image (`--sizes`) and of forward and backward pass of a step of training
 * (`--training`) of Johnson's network of each of `--widths`, by own kernels, by operations of tfjs-wasm, and by ONNX
 * Runtime where a Python has it, in turn, and compares the images; then the memory of a process that paints one image
 * of `--memory`. `--out FILE` writes the tables to FILE.md.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '256,512,1024' },
    training: { type: 'string', default: '128' },
    widths: { type: 'string', default: '8,16' },
    memory: { type: 'string', default: '2048' },
    rounds: { type: 'string', default: '5' },
    tfjs: { type: 'boolean', default: true },
    onnx: { type: 'boolean', default: true },
    out: { type: 'string' },
  },
  allowNegative: true,
});
const numbers = (list: string) => list.split(',').filter(Boolean).map(Number);
const rounds = Number(values.rounds);

await tf.setBackend('wasm');
await tf.ready();
const python = values.onnx ? findOnnxPython() : undefined;
const sections: string[] = [];
const tell = (...lines: string[]) => {
  sections.push(...lines);
  console.log(`${lines.join('\n')}\n`);
};
const machine = `${cpus()[0].model.trim()}, ${availableParallelism()} threads, Node ${process.versions.node}`;
const load = () => loadavg()[0].toFixed(1);
const loadBefore = load();
tell(`${machine}, ${new Date().toISOString().slice(0, 10)}`);
if (values.onnx && !python)
  console.log(
    'ONNX Runtime is not there: no comparison with it. TFJS_STYLE_TRANSFER_ONNX_PYTHON names a Python that has it.\n',
  );

/** A row of a table. */
interface Row {
  readonly what: string;
  readonly name: string;
  readonly timing: Timing;
}

const images: Row[] = [];
const steps: Row[] = [];
for (const width of numbers(values.widths)) {
  const { network, initialWeights } = johnson({ width });
  const weights = initialWeights(1);
  const own: [string, GeneratorProgram][] = [];
  for (const threads of [1, 2])
    own.push([
      `own kernels, threads: ${threads}`,
      await createGeneratorProgram({ network, weights, threads }),
    ]);
  const programs = [...own];
  if (values.tfjs) programs.push(['tfjs-wasm', await loadTfjsGenerator({ network, weights })]);
  const onnx = python ? await startOnnxPeer(python, network, weights, availableParallelism()) : undefined;
  for (const size of numbers(values.sizes)) {
    const image = tf.randomUniform<tf.Rank.R3>([size, size, 3], 0, 1, 'float32', 1) as Image;
    const pixels = image.dataSync<'float32'>();
    // Operations of tfjs take gigabytes at larger sizes.
    const able = programs.filter(([name]) => size <= 512 || name !== 'tfjs-wasm');
    const contenders: Contender[] = able.map(([name, program]) => ({
      name,
      run: () => elapsed(async () => (await program.run(image)).dispose()),
    }));
    if (onnx) {
      const expected = (await onnx.run(size, pixels)).painted;
      const painted = await own[0][1].run(image);
      const found = painted.dataSync<'float32'>();
      const worst = found.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0);
      if (!(worst < 1e-3)) throw new Error(`ONNX Runtime paints another image: ${worst} away`);
      painted.dispose();
      contenders.push({
        name: `ONNX Runtime ${onnx.version}`,
        run: async () => (await onnx.run(size, pixels)).seconds,
      });
    }
    const timings = await timeInTurn(contenders, rounds);
    for (const [i, { name }] of contenders.entries())
      images.push({ what: `width ${width}, ${size} pixels`, name, timing: timings[i] });
    image.dispose();
  }
  for (const size of numbers(values.training)) {
    const image = tf.randomUniform<tf.Rank.R3>([size, size, 3], 0, 1, 'float32', 1) as Image;
    const contenders = programs.map(([name, program]) => ({
      name,
      run: () => elapsed(() => program.gradients(image, (painted) => tf.onesLike(painted))),
    }));
    const timings = await timeInTurn(contenders, rounds);
    for (const [i, { name }] of contenders.entries())
      steps.push({ what: `width ${width}, ${size} pixels`, name, timing: timings[i] });
    image.dispose();
  }
  for (const [, program] of programs) program.dispose();
  await onnx?.dispose();
}
tell('', 'An image:', '', timingTable(images));
if (steps.length > 0) tell('', 'Forward and backward pass of a step of training:', '', timingTable(steps));
const sides = numbers(values.memory);
if (sides.length > 0)
  tell(
    '',
    'The most memory of a whole process that paints one image, Node and tfjs included, and that before the image:',
    '',
    table(
      ['network', 'MB', 'MB before', 's'],
      sides.flatMap((side) => numbers(values.widths).map((width) => memoryRow(side, width))),
    ),
  );
tell(
  '',
  `Processes that wanted a processor, in the minute before the run and before its end: ${loadBefore} and ${load()}.`,
);

if (values.out) {
  await mkdir(dirname(values.out), { recursive: true });
  const heading =
    "# A run of `npm run bench:generators`\n\nMedians; least and most in brackets, and the part of each peer's median.";
  const text = `${heading}\n\n${sections.join('\n')}`.replace(/\n{3,}/g, '\n\n');
  await writeFile(`${values.out}.md`, `${text.trim()}\n`);
}

/** A row of the table of memory, measured in a process of its own. */
function memoryRow(side: number, width: number): readonly string[] {
  const program = resolve(import.meta.dirname, 'generator-memory.ts');
  const text = execFileSync(process.execPath, [...process.execArgv, program, `${side}`, `${width}`], {
    encoding: 'utf8',
  });
  const { before, most, seconds } = JSON.parse(text) as { before: number; most: number; seconds: number };
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)}`;
  return [`width ${width}, ${side} pixels`, megabytes(most), megabytes(before), digits(seconds)];
}

/** Times as a Markdown table, with how they compare to each peer. */
function timingTable(rows: readonly Row[]): string {
  const peers = [...new Set(rows.map(({ name }) => name))].filter((name) => !name.startsWith('own'));
  return table(
    ['network', 'by', 's', ...peers.map((peer) => `of ${peer}`)],
    rows.map(({ what, name, timing }) => [
      what,
      name,
      `${digits(timing.median)} (${digits(timing.min)}-${digits(timing.max)})`,
      ...peers.map((peer) => {
        const found = rows.find((row) => row.what === what && row.name === peer);
        return found ? digits(timing.median / found.timing.median) : '';
      }),
    ]),
  );
}
