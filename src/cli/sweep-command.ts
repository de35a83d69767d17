import { mkdir } from 'node:fs/promises';
import { Command } from 'commander';
import { InvalidArgumentError } from '../errors';
import { platform } from '../node/platform';
import { startBackend } from '../node/start-backend';
import type { NodeStyleTransferOptions } from '../node/style-transfer';
import { showValue } from '../options/show';
import { any, optionTable } from '../options/table';
import { readSettings, styleTransferOptions } from '../transfer/options';
import { displayFor } from './display';
import { exitCodesHelp } from './exit-codes';
import { addFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { jsonLine } from './progress-json';
import { dash } from './read-stdin';
import { deliverResult } from './result';
import { requireWeightEach, styleArgument } from './style-arguments';
import { type CommandOptions, commandOptions } from './style-options';
import { commandOf, gridOf, readAxes } from './sweep/grid';
import { pageName, runSweep, type SweepSummary, sheetName } from './sweep/run-sweep';
import type { Terminal } from './terminal';

/** Flags of the command beside those of the command that paints. */
interface SweepFlags {
  readonly vary?: readonly string[] | undefined;
  readonly output?: string | undefined;
}

const table = optionTable<SweepFlags>()('sweep', {
  vary: {
    ...any<readonly string[], { flag: string; help: string }>(
      'an option and values, such as beta=1e4,1e5',
      (value) => Array.isArray(value) && value.length > 0,
      {
        flag: '--vary <option=values>',
        help: 'an option of the picture and its values, such as beta=1e4,1e5; given again, all combinations; values that hold commas are separated by semicolons',
      },
    ),
    kind: 'texts',
  },
  output: any<string, { default: string; flag: string; help: string }>(
    'a folder',
    (value) => typeof value === 'string' && value !== '',
    {
      default: 'sweep',
      flag: '-o, --output <folder>',
      help: `folder of the pictures, ${sheetName} and ${pageName}`,
    },
  ),
});

const { settings: _, ...painting } = styleTransferOptions.options;
const { styleWeights, backend, json, quiet } = commandOptions.options;

/** Every option of the command. */
export const sweepOptions: Options = {
  ...table.options,
  styleWeights,
  ...painting,
  backend,
  json,
  quiet,
};

/** `tfjs-style-transfer sweep`: paints a picture for each combination of values of options. */
export function sweepCommand(terminal: Terminal): Command {
  const command = new Command('sweep')
    .description('paint a picture for each combination of settings, with a contact sheet and a page of them')
    .argument('<content>', 'picture to be painted: a file or a URL')
    .argument('<style...>', 'pictures whose styles it is painted in, or style files: files or URLs');
  return addFlags(command, sweepOptions, ['vary'])
    .addHelpText('after', `\nThe same command goes on after an interruption.\n${exitCodesHelp}\n`)
    .action((content: string, styles: readonly string[], values: Readonly<Record<string, unknown>>) =>
      sweep({ content, styles }, values, terminal),
    );
}

async function sweep(
  { content, styles }: { readonly content: string; readonly styles: readonly string[] },
  values: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<void> {
  const { vary = [], output } = table.read(only(table.options, values) as SweepFlags);
  const shared = only({ styleWeights, backend, json, quiet } as Options, values) as CommandOptions;
  const flags = commandOptions.read(shared);
  const given = only(painting as Options, values) as NodeStyleTransferOptions;
  const grid = gridOf(readAxes(vary));
  const cells = grid.rows.flatMap((row) => row.cells);
  requireFiles({ content, styles, init: given.init });
  requireWeightEach(styles, flags.styleWeights);

  await interruptible(terminal, async ({ signal, attend }) => {
    const computing = await startBackend(flags.backend, given.engine, given.threads);
    const options = { ...given, threads: computing.threads };
    // All of them before the first one is painted.
    for (const cell of cells)
      readSettings(
        { ...platform, namesImage: (text) => /[./\\]/.test(text) },
        { ...options, ...cell.options } as NodeStyleTransferOptions,
        undefined,
        undefined,
      );
    const display = displayFor(terminal, flags);
    await mkdir(output, { recursive: true });
    attend();
    try {
      const summary = await runSweep(
        {
          grid,
          title: `${content} in the style of ${styles.join(', ')}`,
          folder: output,
          content,
          style: await styleArgument(styles, flags.styleWeights, async (_name, style) => style),
          metricStyle: /\.safetensors$/i.test(styles[0]) ? undefined : styles[0],
          options,
          commandFor: (cell) =>
            commandOf(
              [content, ...styles],
              without(['vary', 'output', 'json', 'quiet'], values),
              cell,
              sweepOptions,
            ),
        },
        display,
        signal,
      );
      await tell(summary, output, flags, terminal);
    } catch (error) {
      if (signal.aborted) display.line(`stopped; the same command goes on with what is missing in ${output}`);
      throw error;
    }
  });
}

/** Throws if a picture would come from stdin, which can be read once only. */
function requireFiles({
  content,
  styles,
  init,
}: {
  content: string;
  styles: readonly string[];
  init: unknown;
}): void {
  const named = Object.entries({ content, style: styles.find((style) => style === dash), init });
  const fromStdin = named.find(([, value]) => value === dash);
  if (!fromStdin) return;
  const accepted = 'a file or a URL, which every picture can read again';
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${fromStdin[0]} is ${showValue(dash)}; accepted: ${accepted}.`,
    {
      option: fromStdin[0],
      value: dash,
      accepted,
    },
  );
}

const without = (names: readonly string[], values: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));

async function tell(
  summary: SweepSummary,
  output: string,
  { json: asJson, quiet: silent }: { readonly json: boolean; readonly quiet: boolean },
  terminal: Terminal,
): Promise<void> {
  const { painted, kept } = summary;
  if (asJson) return deliverResult(terminal, jsonLine({ output, ...summary }));
  const before = kept > 0 ? `, ${kept} painted before` : '';
  if (!silent) await deliverResult(terminal, `${output}/${pageName}: ${painted} painted${before}\n`);
}
