import { Command, InvalidArgumentError as WrongValue } from 'commander';
import { version } from '../../package.json';
import { engineChoices, engineOptions, enginesFor } from '../engines/engine-options';
import { styleTransfer } from '../node/style-transfer';
import { requireWritable, writeImage } from '../node/write-image';
import { requireName } from '../options/validate';
import { defaultSize, styleTransferOptions } from '../transfer/options';
import { getPreset, type PresetName, presetNames } from '../transfer/presets';
import type { StyleTransferProgress } from '../transfer/progress';
import type { StyleTransferResult } from '../transfer/style-transfer';
import { backends, useBackend } from './backend';
import { exitCodeOf, Interrupted } from './exit-codes';
import { duration, type ProgressDisplay } from './progress';
import { progressBar } from './progress-bar';
import { progressJson } from './progress-json';
import { progressLines } from './progress-lines';
import type { Terminal } from './terminal';

interface StyleFlags {
  readonly output: string;
  readonly size?: number;
  readonly styleSize?: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly preset: PresetName;
  readonly iterations?: number;
  readonly maxEvaluations?: number;
  readonly init: string;
  readonly seed: number;
  readonly weights?: string;
  readonly backend: (typeof backends)[number];
  readonly engine: (typeof engineChoices)[number];
  readonly threads?: number;
  readonly relaxedSimd?: true;
  readonly json?: true;
}

/** The library's own, so that help and behaviour cannot differ. */
const { preset, init, seed, engine } = styleTransferOptions.options;

/** `tfjs-style-transfer <content> <style>`: paints one picture in the style of another. */
export function styleCommand(terminal: Terminal): Command {
  return new Command('tfjs-style-transfer')
    .description('Paints the content picture in the style of another.')
    .version(version)
    .enablePositionalOptions()
    .argument('<content>', 'picture to be painted: a file or URL')
    .argument('<style>', 'picture whose style it is painted in: a file or URL')
    .option('-o, --output <file>', 'where to write it: .png, .jpg, .webp or .avif', 'out.png')
    .option(
      '--size <pixels>',
      `longer side of the result (default: the content's, at most ${defaultSize})`,
      number,
    )
    .option(
      '--style-size <pixels>',
      'longer side of the style picture: larger makes finer strokes (default: as --size)',
      number,
    )
    .option('--preset <name>', 'a published setting, see below', preset.default)
    .option('--alpha <weight>', "weight of the content (default: the preset's)", number)
    .option('--beta <weight>', "weight of the style (default: the preset's)", number)
    .option('--iterations <count>', "the most steps (default: the preset's)", number)
    .option(
      '--max-evaluations <count>',
      'the most evaluations of loss and gradient (default: unlimited)',
      number,
    )
    .option('--init <start>', 'start from content, noise, style, or a picture of yours', init.default)
    .option('--seed <number>', 'seed of the noise', number, seed.default)
    .option(
      '--weights <where>',
      'VGG-19: a folder, a file, a URL, vgg19 or embedded (default: what is there without network)',
    )
    .option('--backend <name>', `TensorFlow.js on ${backends.join(', ')}`, backends[0])
    .option('--engine <name>', `what computes the network: ${engineChoices.join(', ')}`, engine.default)
    .option('--threads <count>', "threads that compute (default: the processor's cores, at most 8)", number)
    .option(
      '--relaxed-simd',
      'up to a fifth faster on some processors, between which last digits differ; needs Node 22',
    )
    .option('--json', 'print the result as JSON on stdout, progress as a line of JSON per event on stderr')
    .addHelpText('after', presetHelp)
    .action((content: string, style: string, flags: StyleFlags) => paint(content, style, flags, terminal));
}

function presetHelp(): string {
  const lines = presetNames.map(getPreset).map(({ name, description, alpha, beta, iterations }) => {
    const numbers = `alpha ${alpha}, beta ${beta.toExponential().replace('e+', 'e')}, ${iterations} iterations`;
    return `  ${name.padEnd(20)}${description}\n${' '.repeat(22)}${numbers}`;
  });
  return `\nPresets:\n${lines.join('\n')}\n\nCtrl-C saves the picture as it is; a second one stops at once.\n`;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new WrongValue('It is not a number.');
  return value;
}

async function paint(content: string, style: string, flags: StyleFlags, terminal: Terminal): Promise<void> {
  const { output, backend, json, threads, ...options } = flags;
  requireName('backend', backend, backends);
  requireName('engine', options.engine, engineChoices);
  if (threads !== undefined) engineOptions.threads.require('threads', threads);
  await requireWritable(output);
  const display = displayFor(terminal, json ?? false);
  const stop = stopOnSignal(terminal, display);
  try {
    // Threads for tfjs only where tfjs computes; this library's own kernels have theirs.
    const [engine] = enginesFor({ engine: options.engine }, backend);
    const byTfjs = engine.name === 'tfjs';
    await useBackend[backend](byTfjs ? threads : 1);
    const result = await styleTransfer(content, style, {
      ...options,
      threads: byTfjs ? undefined : threads,
      signal: stop.signal,
      onProgress: (event) => onProgress(event, output, options.weights, display),
    });
    display.end();
    try {
      await writeImage(result.image, output);
      terminal.stdout.write(json ? `${JSON.stringify(summary(result, output))}\n` : describe(result, output));
    } finally {
      result.dispose();
    }
  } finally {
    display.end();
    stop.release();
  }
}

function displayFor({ stderr, env }: Terminal, json: boolean): ProgressDisplay {
  if (json) return progressJson(stderr);
  return stderr.isTTY ? progressBar(stderr, env) : progressLines(stderr);
}

/** A signal that Ctrl-C aborts; a second Ctrl-C ends the program. */
function stopOnSignal(terminal: Terminal, display: ProgressDisplay) {
  const controller = new AbortController();
  const release = terminal.onStop((name) => {
    const reason = new Interrupted(name);
    if (controller.signal.aborted) return terminal.exit(exitCodeOf(reason));
    display.line('stopping after this evaluation; once more stops at once');
    controller.abort(reason);
  });
  return { signal: controller.signal, release };
}

async function onProgress(
  event: StyleTransferProgress,
  output: string,
  weights: string | undefined,
  display: ProgressDisplay,
): Promise<void> {
  display.show(event);
  if (event.type === 'start' && event.embedded && weights !== 'embedded') display.line(embeddedNotice);
  if (event.type !== 'interrupted' || event.evaluations === 0) return;
  const image = event.image();
  try {
    await writeImage(image, output);
    const state = `loss ${event.loss.toPrecision(5)} after ${event.evaluations} evaluations`;
    display.line(`saved the picture so far: ${output}, ${state}`);
  } catch (error) {
    // What ended the run is what it will be reported to have ended with.
    display.line(`the picture so far could not be saved: ${(error as Error).message}`);
  } finally {
    image.dispose();
  }
}

const embeddedNotice =
  'No VGG-19 weights were found, so the small network that comes with this package is used, with simpler strokes; to get VGG-19: tfjs-style-transfer weights fetch';

/** What `--json` prints. */
function summary(result: StyleTransferResult, output: string) {
  const { image, history: _, dispose: __, ...rest } = result;
  const [height, width] = image.shape;
  return { output, width, height, ...rest };
}

function describe(
  { image, loss, iterations, evaluations, elapsedMs, weights }: StyleTransferResult,
  output: string,
): string {
  const [height, width] = image.shape;
  const work = `${iterations} iterations, ${evaluations} evaluations, ${duration(elapsedMs / 1000)}`;
  return `${output}: ${width}x${height}, loss ${loss.toPrecision(5)} after ${work}, ${weights}\n`;
}
