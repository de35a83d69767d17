import { Command } from 'commander';
import { batch } from '../batch/batch';
import { type BatchOptions, batchOptions } from '../batch/batch-options';
import type { FailedRecord } from '../batch/job';
import { jobSettingNames } from '../batch/jobs';
import type { BatchProgress } from '../batch/painter';
import { followBatch } from '../batch/queue/queue-painter';
import { ComputationError, InvalidArgumentError } from '../errors';
import { readRecord } from '../node/read-settings-record';
import { any, flag, optionTable } from '../options/table';
import { styleTransferOptions } from '../transfer/options';
import { batchDisplay } from './batch/batch-display';
import { expandPlaces } from './batch/expand-places';
import { readPairs } from './batch/read-pairs';
import { exitCodesHelp } from './exit-codes';
import { addFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { embeddedNotice } from './paint';
import { printable } from './printable';
import { jsonLine } from './progress-json';
import { deliverResult } from './result';
import { type CommandOptions, commandOptions } from './style-options';
import type { Terminal } from './terminal';

/** Flags of the command that stand for options of `batch`. */
interface BatchFlags {
  readonly content?: readonly string[] | undefined;
  readonly style?: readonly string[] | undefined;
  readonly pairs?: string | undefined;
  readonly resume?: boolean | undefined;
}

const words = (flag: string, help: string) => ({
  ...any<readonly string[], { flag: string; help: string }>(
    'a file, a URL or a pattern',
    (value) => Array.isArray(value) && value.every((word) => typeof word === 'string' && word !== ''),
    { flag, help },
  ),
  kind: 'texts' as const,
});

const table = optionTable<BatchFlags>()('batch', {
  content: words(
    '--content <pattern>',
    "pictures to paint, each in each style: a file, a URL, or a pattern in quotes such as 'photos/*.jpg'; may be given again",
  ),
  style: words(
    '--style <pattern>',
    'pictures whose styles they are painted in, or style files, in the same way',
  ),
  pairs: any<string, { flag: string; help: string }>(
    'a .csv or .jsonl file',
    (value) => typeof value === 'string' && value !== '',
    {
      flag: '--pairs <file>',
      help: 'in place of --content and --style a file of pairs, .csv or .jsonl, with columns content, style, and perhaps output and options by their names',
    },
  ),
  resume: flag({
    default: false,
    flag: '--resume',
    help: 'follow the pictures of --output that are in the queue, without submitting any',
  }),
});

const {
  contents: _,
  styles: __,
  pairs: ___,
  settings: ____,
  signal: _____,
  onProgress: ______,
  ...ofBatch
} = batchOptions.options;
const { backend, json, quiet } = commandOptions.options;
const styling: Options = { ...styleTransferOptions.options, backend };
const painting: Options = Object.fromEntries(jobSettingNames.map((one) => [one, styling[one]]));

/** Every option of the command. */
export const batchCommandOptions: Options = { ...table.options, ...ofBatch, ...painting, json, quiet };

/** `tfjs-style-transfer batch`: paints many pictures. */
export function batchCommand(terminal: Terminal): Command {
  const command = new Command('batch').description('paint many pictures, several at once');
  return addFlags(command, batchCommandOptions, ['output'])
    .addHelpText(
      'after',
      `\nThe same command goes on after an interruption, and paints again what failed or changed.\n${exitCodesHelp}\n`,
    )
    .action((values: Readonly<Record<string, unknown>>) => paintAll(values, terminal));
}

async function paintAll(values: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<void> {
  const { content, style, pairs, resume } = table.read(only(table.options, values) as BatchFlags);
  const flags = commandOptions.read(only({ json, quiet } as Options, values) as CommandOptions);
  if (resume) requireQueueAlone(values);
  else requireEither({ content, style, pairs });
  const contents = content && (await expandPlaces('content', content));
  const styles = style && (await expandPlaces('style', style));
  const { settings: file, ...given } = only(painting, values);
  const settings =
    file === undefined ? given : { ...given, settings: await readRecord('settings', `${file}`) };
  const options: BatchOptions = {
    ...(only(ofBatch as Options, values) as Pick<BatchOptions, 'output'>),
    contents: contents?.places,
    styles: styles?.places,
    pairs: pairs === undefined ? undefined : await readPairs(pairs),
    settings,
  };
  const display = batchDisplay(terminal, flags);
  const skipped = [contents, styles].flatMap((found) => found?.skipped ?? []);
  await interruptible(
    terminal,
    async ({ signal, attend }) => {
      const following = { signal, onProgress: (event: BatchProgress) => display.show(event) };
      const { queue = '', output } = options;
      const records = resume
        ? followBatch({ queue, output, ...following })
        : batch({ ...options, ...following });
      if (skipped.length > 0) display.line(`left out, because they are no pictures: ${skipped.join(', ')}`);
      // What is done is in the manifest; what runs ends within an evaluation.
      attend();
      const counts = { done: 0, kept: 0, failed: 0 };
      const failures: FailedRecord[] = [];
      let embedded = false;
      try {
        for await (const record of records) {
          counts[record.state]++;
          display.record(record);
          if (record.state === 'failed') failures.push(record);
          else embedded ||= record.embedded && record.settings.weights !== 'embedded';
          if (flags.json) await deliverResult(terminal, jsonLine(record));
        }
      } catch (error) {
        if (signal.aborted)
          display.line(`stopped; the same command goes on with what is missing in ${options.output}`);
        throw error;
      } finally {
        display.end();
      }
      if (embedded) display.line(embeddedNotice);
      if (!flags.json && !flags.quiet) await deliverResult(terminal, `${summary(options.output, counts)}\n`);
      requireAll(failures, counts, flags, terminal);
    },
    () => display.line('stopping; a second request ends at once'),
  );
}

/** Throws unless `--resume` has a queue, and nothing to submit. */
function requireQueueAlone(values: Readonly<Record<string, unknown>>): void {
  const accepted = '--resume with --queue and --output alone';
  if (values.queue === undefined)
    throw new InvalidArgumentError('MISSING', `resume needs a queue; accepted: ${accepted}.`, {
      option: 'queue',
      accepted,
    });
  const option = Object.keys(values).find(
    (name) => !['resume', 'queue', 'output', 'json', 'quiet'].includes(name),
  );
  if (option === undefined) return;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${option} has no effect beside resume; accepted: ${accepted}.`,
    { option, value: values[option], accepted },
  );
}

/** Throws unless there are contents and styles, or pairs. */
function requireEither({ content, style, pairs }: BatchFlags): void {
  const missing = content === undefined ? 'content' : style === undefined ? 'style' : undefined;
  if (pairs === undefined ? missing === undefined : content === undefined && style === undefined) return;
  const accepted = 'content and style, or pairs alone';
  const option = pairs === undefined ? missing : content === undefined ? 'style' : 'content';
  throw new InvalidArgumentError(
    pairs === undefined ? 'MISSING' : 'CONFLICTING_OPTIONS',
    pairs === undefined
      ? `There is no ${option}; accepted: ${accepted}.`
      : `${option} has no effect beside pairs; accepted: ${accepted}.`,
    { option, accepted },
  );
}

interface Counts {
  readonly done: number;
  readonly kept: number;
  readonly failed: number;
}

/** `out: 12 painted, 3 painted before, 1 failed`. */
function summary(folder: string, { done, kept, failed }: Counts): string {
  return [
    `${folder}: ${done} painted`,
    ...(kept > 0 ? [`${kept} painted before`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ');
}

/** Prints a table of pictures that failed, and throws if there are any. */
function requireAll(
  failures: readonly FailedRecord[],
  { done, kept }: Counts,
  { json: asJson }: { readonly json: boolean },
  { stderr }: Terminal,
): void {
  if (failures.length === 0) return;
  if (!asJson) stderr.write(printable(failureTable(failures)));
  const all = done + kept + failures.length;
  throw new ComputationError(
    'PICTURES_FAILED',
    `${failures.length} of ${all} pictures failed; the same command paints only these again.`,
    { value: failures.length },
  );
}

function failureTable(failures: readonly FailedRecord[]): string {
  const width = Math.max(...failures.map(({ output: place }) => place.length));
  return failures.map(({ output: place, error }) => `${place.padEnd(width)}  ${error.message}\n`).join('');
}
