import { Command } from 'commander';
import { readRecord } from '../node/read-settings-record';
import { backendOf, startBackend } from '../node/start-backend';
import type { NodeStyleTransferOptions } from '../node/style-transfer';
import { filmFileOptions } from '../node/video/options';
import type { FilmProgress } from '../node/video/progress';
import { type StyledFilm, styleVideoFile } from '../node/video/style-video-file';
import { filmExtensions } from '../node/video/write-film';
import { any, optionTable } from '../options/table';
import { styleTransferOptions } from '../transfer/options';
import { temporalOptions } from '../video/options';
import { displayFor } from './display';
import { exitCodesHelp } from './exit-codes';
import { addFlags, inFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { duration } from './progress';
import { jsonLine } from './progress-json';
import { deliverResult } from './result';
import { requireWeightEach, styleArgument } from './style-arguments';
import { type CommandOptions, commandOptions } from './style-options';
import type { Terminal } from './terminal';

const table = optionTable<{ readonly output?: string | undefined }>()('video', {
  output: any<string, { default: string; flag: string; help: string }>(
    `a file with one of the extensions ${filmExtensions.join(', ')}`,
    (value) => typeof value === 'string' && value !== '',
    {
      default: 'out.mp4',
      flag: '-o, --output <file>',
      help: `where to write it: ${filmExtensions.join(', ')}`,
    },
  ),
});

const painting = styleTransferOptions.options;
const { styleWeights, backend, json, quiet } = commandOptions.options;
const { after: _, ...temporal } = temporalOptions.options;

/** Every option of the command. */
export const videoOptions: Options = {
  ...table.options,
  ...temporal,
  ...filmFileOptions.options,
  styleWeights,
  ...painting,
  backend,
  json,
  quiet,
};

/** `tfjs-style-transfer video`: paints a film. */
export function videoCommand(terminal: Terminal): Command {
  const command = new Command('video')
    .description('paint a film, each frame from the one before; needs the program ffmpeg')
    .argument('<film>', 'film to be painted: a file')
    .argument('<style...>', 'pictures whose styles it is painted in, or style files: files or URLs');
  return addFlags(command, videoOptions)
    .addHelpText('after', `\nThe same command goes on after an interruption.\n${exitCodesHelp}\n`)
    .action((film: string, styles: readonly string[], values: Readonly<Record<string, unknown>>) =>
      video({ film, styles }, values, terminal),
    );
}

async function video(
  { film, styles }: { readonly film: string; readonly styles: readonly string[] },
  values: Readonly<Record<string, unknown>>,
  terminal: Terminal,
): Promise<void> {
  const { output } = table.read(only(table.options, values));
  const shared = only({ styleWeights, backend, json, quiet } as Options, values) as CommandOptions;
  const flags = commandOptions.read(shared);
  const typed = only({ ...temporal, ...filmFileOptions.options, ...painting } as Options, values);
  const { settings: file, ...given } = typed;
  const settings = file === undefined ? undefined : await readRecord('settings', String(file));
  const { engine = settings?.options.engine, threads } = given as NodeStyleTransferOptions;
  requireWeightEach(styles, flags.styleWeights);
  const display = displayFor(terminal, flags);
  try {
    await interruptible(
      terminal,
      async ({ signal, attend }) => {
        const computing = await startBackend(backendOf(shared.backend, settings), engine, threads);
        const style = await styleArgument(styles, flags.styleWeights, async (_name, input) => input);
        const result = await styleVideoFile(film, style, output, {
          ...given,
          settings,
          threads: computing.threads,
          signal,
          onProgress(event: FilmProgress) {
            if (event.type === 'frame') attend();
            display.show(
              event.type === 'warning' ? { ...event, message: inFlags(event.message, videoOptions) } : event,
            );
          },
        });
        display.end();
        await tell(result, flags, terminal);
      },
      () => display.line('stopping; the same command goes on with the frames that are missing'),
    );
  } finally {
    display.end();
  }
}

async function tell(
  result: StyledFilm,
  { json: asJson, quiet: silent }: { readonly json: boolean; readonly quiet: boolean },
  terminal: Terminal,
): Promise<void> {
  if (asJson) return deliverResult(terminal, jsonLine(result));
  if (silent) return;
  const { output, width, height, frames, painted, seconds } = result;
  const before = painted === frames ? '' : `, ${frames - painted} painted before`;
  const work = `${frames} frames${before}, ${duration(seconds)}`;
  await deliverResult(terminal, `${output}: ${width}x${height}, ${work}\n`);
}
