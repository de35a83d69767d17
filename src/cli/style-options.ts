import { type ImageFormat, imageExtensions, imageFormats } from '../node/write-image';
import { any, flag, type Option, oneOf, optionTable } from '../options/table';
import { styleTransferOptions } from '../transfer/options';
import { type Backend, backends } from './backend';

/** Options that the command has in addition to those of `styleTransfer`. */
export interface CommandOptions {
  readonly styleWeights?: readonly number[] | undefined;
  readonly output?: string | undefined;
  readonly format?: ImageFormat | undefined;
  readonly backend?: Backend | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const json = flag({
  default: false,
  flag: '--json',
  help: 'print the result as JSON on stdout, progress as a line of JSON per event on stderr',
});

const quiet = flag({
  default: false,
  flag: '-q, --quiet',
  help: 'print nothing but errors and what --json asks for',
});

/** The weights of several styles, in the order of their arguments. */
export const styleWeights: Option<readonly number[]> = {
  ...any<readonly number[], { flag: string; help: string }>(
    'numbers of at least 0, one for each style, separated by commas and not all 0',
    (value) =>
      Array.isArray(value) &&
      value.every((weight) => Number.isFinite(weight) && weight >= 0) &&
      value.some((weight) => weight > 0),
    {
      flag: '--style-weights <numbers>',
      help: 'weight of each style, separated by commas (default: 1 each)',
    },
  ),
  kind: 'numbers',
};

/** The table of {@link CommandOptions}. */
export const commandOptions = optionTable<CommandOptions>()('tfjs-style-transfer', {
  styleWeights,
  output: any<string, { default: string; flag: string; help: string }>(
    `a file with one of the extensions ${imageExtensions.join(', ')}, or -`,
    (value) => typeof value === 'string' && value !== '',
    {
      default: 'out.png',
      flag: '-o, --output <file>',
      help: `where to write it: ${imageExtensions.join(', ')}, or - for stdout`,
    },
  ),
  format: oneOf(imageFormats, {
    flag: '--format <name>',
    help: `format of the file: ${imageFormats.join(', ')} (default: as its extension says, png on stdout)`,
  }),
  backend: oneOf(backends, {
    default: backends[0],
    flag: '--backend <name>',
    help: `TensorFlow.js on ${backends.join(', ')}`,
  }),
  json,
  quiet,
});

const { output, format, styleWeights: _, ...howItRuns } = commandOptions.options;

/** Every option of the command that paints, in the order of its help. */
export const styleOptions = {
  output,
  format,
  styleWeights,
  ...styleTransferOptions.options,
  ...howItRuns,
};
