import { type Backend, backendOption } from '../node/start-backend';
import { type ImageFormat, imageExtensions, imageFormats } from '../node/write-image';
import { any, flag, oneOf, optionTable } from '../options/table';
import { styleTransferOptions } from '../transfer/options';
import { styleWeightsOption } from '../transfer/style-weights';

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
export const styleWeights = styleWeightsOption({
  help: 'weight of each style, separated by commas (default: 1 each)',
});

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
  backend: backendOption,
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
