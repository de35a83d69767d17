import { rm, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { trainGeneratorOptions } from '../generators/training/options';
import type { TrainingProgress, TrainingStartEvent } from '../generators/training/progress';
import type { Image } from '../image/image';
import { saveGenerator } from '../node/generators';
import type { NodeImageInput } from '../node/image-input';
import { type Backend, startBackend } from '../node/start-backend';
import { requireStyleExtension } from '../node/styles';
import {
  baseOf,
  checkpointFile,
  type NodeTrainGeneratorOptions,
  trainGenerator,
} from '../node/train-generator';
import { requireWritableFile } from '../node/write-file';
import { writeImage } from '../node/write-image';
import { any, flag, optionTable } from '../options/table';
import { displayFor } from './display';
import { exitCodesHelp } from './exit-codes';
import { addFlags, inFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { duration, type ProgressDisplay } from './progress';
import { jsonLine } from './progress-json';
import { fileOrStdin, requireOneDash } from './read-stdin';
import { deliverResult } from './result';
import { commandOptions } from './style-options';
import type { Terminal } from './terminal';

/** Flags of the command beside those of `trainGenerator`. */
interface TrainFlags {
  readonly output?: string | undefined;
  readonly restart?: boolean | undefined;
  readonly backend?: Backend | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const { backend, json, quiet } = commandOptions.options;

const table = optionTable<TrainFlags>()('train', {
  output: any<string, { flag: string; help: string }>(
    'a file with the extension .safetensors',
    (value) => typeof value === 'string' && value !== '',
    { flag: '-o, --output <file>', help: 'where to write it: a file with the extension .safetensors' },
  ),
  restart: flag({
    default: false,
    flag: '--restart',
    help: 'begin anew where an interrupted training would go on',
  }),
  backend,
  json,
  quiet,
});

const { output, restart } = table.options;
const { style: _, checkpoint: __, ...training } = trainGeneratorOptions.options;

/** Every option of the command, in the order of its help. */
export const trainOptions: Options = { output, ...training, restart, backend, json, quiet };

/** Options of `trainGenerator` as they are typed: files by their names, and one picture to preview. */
type TypedOptions = Omit<NodeTrainGeneratorOptions, 'style' | 'preview'> & { readonly preview?: string };

/** `tfjs-style-transfer train`: trains a generator for the style of a painting. */
export function trainCommand(terminal: Terminal): Command {
  const command = new Command('train')
    .description('train a network that paints any picture in the style of a painting, or of several, at once')
    .argument(
      '<painting...>',
      'the picture whose style is learned, or one of each style: files, URLs, or - for stdin',
    );
  return addFlags(command, trainOptions, ['output'])
    .addHelpText(
      'after',
      `\nCtrl-C keeps what is trained: the same command goes on. Then: tfjs-style-transfer stylize.\n${exitCodesHelp}\n`,
    )
    .action((paintings: readonly string[], values: Readonly<Record<string, unknown>>) =>
      train(paintings, values, terminal),
    );
}

async function train(
  paintings: readonly string[],
  values: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<void> {
  const flags = table.read(only(table.options, values) as TrainFlags);
  const { preview, base: named, styles: given, ...options } = only(training, values) as TypedOptions;
  const file = String(flags.output);
  requireStyleExtension('output', file);
  await requireWritableFile(file);
  const checkpoint = `${file}.training`;
  const display = displayFor(terminal, flags);
  const startTime = performance.now();
  let last: Extract<TrainingProgress, { type: 'step' }> | undefined;
  try {
    await interruptible(
      terminal,
      async ({ signal, attend }) => {
        requireOneDash(Object.fromEntries(paintings.map((painting, i) => [`style[${i}]`, painting])));
        const pictures: NodeImageInput[] = [];
        for (const painting of paintings)
          pictures.push(await fileOrStdin('style', painting, terminal.stdin, signal));
        const names = paintings.map(nameOf);
        const base = await baseOf(named, signal);
        const ofSeveral = typeof base === 'object' && base.vectorLength > 0;
        const several = given !== undefined || paintings.length > 1 || ofSeveral;
        const computing = await startBackend(flags.backend, options.engine, options.threads);
        const generator = await trainGenerator({
          ...options,
          style: several ? pictures : pictures[0],
          styles: several ? (given ?? names) : undefined,
          base,
          name: names.join(', '),
          preview: preview === undefined ? undefined : [preview],
          checkpoint: await checkpointFile(checkpoint, flags.restart),
          threads: computing.threads,
          signal,
          async onProgress(event) {
            // From now on there is something to keep.
            if (event.type === 'start') attend();
            if (event.type === 'step') last = event;
            if (event.type === 'preview') await writePreview(event.images, previewOf(file));
            tell(event, checkpoint, display);
          },
        });
        display.end();
        await saveGenerator(file, generator);
        await rm(checkpoint, { force: true });
        const { size: bytes } = await stat(file);
        const result = {
          output: file,
          bytes,
          steps: last?.steps,
          loss: last?.meanLoss,
          elapsedMs: performance.now() - startTime,
        };
        if (flags.json) await deliverResult(terminal, jsonLine(result));
        else if (!flags.quiet) await deliverResult(terminal, describe(result));
      },
      () => display.line('stopping; a second request ends at once'),
    );
  } finally {
    display.end();
  }
}

function tell(event: TrainingProgress, checkpoint: string, display: ProgressDisplay): void {
  if (event.type === 'start') display.line(describeStart(event, checkpoint));
  if (event.type === 'interrupted' && event.kept)
    display.line(`kept ${event.step} steps in ${checkpoint}; the same command goes on`);
  if (event.type === 'step') display.show({ type: 'trained', step: event });
  if (event.type === 'weights') display.show(event);
  if (event.type === 'warning') display.show({ ...event, message: inFlags(event.message, trainOptions) });
}

/** `johnson, 109523 numbers, from own base; goes on after step 150 of 400, from painting.safetensors.training`. */
function describeStart(
  { architecture, parameters, base = 'scratch', resumedAt, steps }: TrainingStartEvent,
  checkpoint: string,
): string {
  const begins = `${architecture}, ${parameters} numbers, from ${base}; `;
  return (
    begins +
    (resumedAt > 0 ? `goes on after step ${resumedAt} of ${steps}, from ${checkpoint}` : `${steps} steps`)
  );
}

/** `starry-night` of `paintings/starry-night.jpg`. */
const nameOf = (painting: string): string => basename(painting, extname(painting)) || painting;

/** Writes a picture as it is painted in every style, side by side. */
async function writePreview(images: readonly Image[], file: string): Promise<void> {
  const row = tf.concat([...images], 1) as Image;
  try {
    await writeImage(row, file);
  } finally {
    row.dispose();
  }
}

/** The picture beside the output. */
const previewOf = (file: string): string => `${file.slice(0, -extname(file).length)}.preview.png`;

function describe({
  output: file,
  bytes,
  steps,
  loss,
  elapsedMs,
}: {
  readonly output: string;
  readonly bytes: number;
  readonly steps: number | undefined;
  readonly loss: number | undefined;
  readonly elapsedMs: number;
}): string {
  const work = steps === undefined ? '' : `${steps} steps, loss ${loss?.toPrecision(3)}, `;
  return `${file}: ${work}${duration(elapsedMs / 1000)}, ${Math.round(bytes / 1000)} kB\n`;
}
