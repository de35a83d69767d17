import { Command } from 'commander';
import type { NodeImageInput } from '../node/image-input';
import { type Backend, startBackend } from '../node/start-backend';
import { loadStyle, requireStyleExtension, saveStyle } from '../node/styles';
import { showText } from '../options/show';
import { any, flag, optionTable } from '../options/table';
import type { StyleFile } from '../styles/style-file';
import { type MakeStyleOptions, makeStyleOptions } from '../transfer/make-style';
import type { StyleEntry } from '../transfer/styles';
import { displayFor } from './display';
import { addFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { fileOrStdin, requireOneDash } from './read-stdin';
import { deliverResult } from './result';
import { namedStyles, requireWeightEach, styleArgument } from './style-arguments';
import { commandOptions, styleWeights } from './style-options';
import type { Terminal } from './terminal';

/** Flags of the commands under `tfjs-style-transfer style`, beside those of `makeStyle`. */
interface StyleFileFlags {
  readonly output?: string | undefined;
  readonly styleWeights?: readonly number[] | undefined;
  readonly backend?: Backend | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const table = optionTable<StyleFileFlags>()('style', {
  output: any<string, { flag: string; help: string }>(
    'a file with the extension .safetensors',
    (value) => typeof value === 'string' && value !== '',
    { flag: '-o, --output <file>', help: 'where to write it: a file with the extension .safetensors' },
  ),
  styleWeights,
  backend: commandOptions.options.backend,
  json: flag({ default: false, flag: '--json', help: 'print JSON' }),
  quiet: flag({ default: false, flag: '-q, --quiet', help: 'print nothing but errors' }),
});

const { output, backend, json, quiet } = table.options;
const { preset, layers, size, weights, engine, threads, relaxedSimd } = makeStyleOptions.options;

/** Options of `style make` that are those of `makeStyle`. */
const making = {
  preset: { ...preset, help: 'the preset that the style is for' },
  layers: { ...layers, kind: 'names' as const },
  size,
  weights,
  engine,
  threads,
  relaxedSimd,
};

/** Every option of the commands, in the order of their help. */
export const styleFileOptions = { output, styleWeights, ...making, backend, json, quiet };

type Values = Readonly<Record<string, unknown>>;

const read = (values: Values) => table.read(only(table.options, values) as StyleFileFlags);

/** `tfjs-style-transfer style`: makes, shows and blends style files. */
export function styleFileCommand(terminal: Terminal): Command {
  const command = new Command('style').description(
    'make, show and blend style files, which may stand wherever a style picture may',
  );
  /** Adds a subcommand with flags. */
  const add = (name: string, options: Options, description: string, required: readonly string[] = []) =>
    addFlags(command.command(name).description(description), options, required);

  add('make', styleFileOptions, 'make a style file from one or many pictures', ['output'])
    .argument('<style...>', 'pictures and style files: files, URLs, or - for stdin')
    .action((styles: readonly string[], values: Values) => make(styles, values, terminal));

  add('show', { json }, 'print what a style file was made from and fits')
    .argument('<file>', 'a style file: a file or a URL')
    .action(async (file: string, values: Values) => {
      const style = await interruptible(terminal, ({ signal }) => loadStyle(file, { signal }));
      await deliverResult(terminal, read(values).json ? jsonOf(style) : describe(style));
    });

  add('blend', { output, styleWeights, json, quiet }, 'blend style files into one; needs no network', [
    'output',
  ])
    .argument('<file...>', 'style files: files or URLs')
    .action(async (files: readonly string[], values: Values) => {
      const flags = read(values);
      requireWeightEach(files, flags.styleWeights);
      requireStyleExtension('output', String(flags.output));
      const style = await interruptible(terminal, async ({ signal }) => {
        const entries: StyleEntry<NodeImageInput>[] = [];
        for (const [i, file] of files.entries())
          entries.push({ image: await loadStyle(file, { signal }), weight: flags.styleWeights?.[i] });
        return saveStyle(String(flags.output), entries, { signal });
      });
      await tell(style, flags, terminal);
    });

  return command;
}

async function make(styles: readonly string[], values: Values, terminal: Terminal): Promise<void> {
  const flags = read(values);
  const options = only(making, values) as MakeStyleOptions;
  makeStyleOptions.read(options);
  requireWeightEach(styles, flags.styleWeights);
  requireOneDash(namedStyles(styles));
  const file = String(flags.output);
  requireStyleExtension('output', file);
  const display = displayFor(terminal, { json: flags.json, quiet: flags.quiet });
  try {
    const style = await interruptible(terminal, async ({ signal }) => {
      const input = await styleArgument(styles, flags.styleWeights, (name, style) =>
        fileOrStdin(name, style, terminal.stdin, signal),
      );
      const computing = await startBackend(flags.backend, options.engine, options.threads);
      return saveStyle(file, input, {
        ...options,
        threads: computing.threads,
        signal,
        onProgress: (event) => display.show(event.type === 'style' ? { ...event, of: styles.length } : event),
      });
    });
    display.end();
    await tell(style, flags, terminal);
  } finally {
    display.end();
  }
}

/** Prints what has been written. */
async function tell(
  style: StyleFile,
  flags: { readonly output?: string | undefined; readonly json: boolean; readonly quiet: boolean },
  terminal: Terminal,
): Promise<void> {
  const written = { ...style, name: String(flags.output) };
  if (flags.json) await deliverResult(terminal, jsonOf(written));
  else if (!flags.quiet) await deliverResult(terminal, describe(written));
}

function jsonOf({ name, kind: _, tensors, ...facts }: StyleFile): string {
  const statistics = Object.fromEntries(Array.from(tensors, ([tensor, { shape }]) => [tensor, shape]));
  return `${JSON.stringify({ file: name, ...facts, tensors: statistics }, null, 2)}\n`;
}

function describe(style: StyleFile): string {
  const { name, images, longerSide, network, weights, weightsHashes, layers, pooling, padding } = style;
  const [smallest, largest] = longerSide;
  const sides = smallest === largest ? `${largest}` : `${smallest} to ${largest}`;
  const deepest = layers[layers.length - 1];
  const named = [network, weights, pooling && `${pooling} pooling`, padding && `${padding} padding`];
  const rows = [
    ['made from', `${images === 1 ? '1 image' : `${images} images`}, longer side ${sides} pixels`],
    ['network', named.filter(Boolean).join(', ')],
    ['SHA-256', `${weightsHashes?.[deepest] ?? 'unknown'} (weights to ${deepest})`],
    ['layers', layers.join(', ')],
    ['Gram matrices', `divided by ${divisors[style.normalization]}`],
  ];
  const lines = rows.map(([title, text]) => `  ${title.padEnd(15)}${showText(text, 1000)}`);
  return `${showText(name, 1000)}\n${lines.join('\n')}\n`;
}

const divisors: Readonly<Record<StyleFile['normalization'], string>> = {
  elements: 'channels and positions',
  positions: 'positions',
  none: 'nothing',
};
