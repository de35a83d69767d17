import { Command } from 'commander';
import { type WorkOptions, work, workOptions } from '../batch/queue/work';
import { exitCodesHelp } from './exit-codes';
import { addFlags, type Options, only } from './flags';
import { interruptible } from './interruptible';
import { printable } from './printable';
import { jsonLine } from './progress-json';
import { commandOptions } from './style-options';
import type { Terminal } from './terminal';

const { json, quiet } = commandOptions.options;

/** Every option of the command. */
export const workCommandOptions: Options = { ...workOptions.options, json, quiet };

/** `tfjs-style-transfer work`: takes jobs from a queue and paints them. */
export function workCommand(terminal: Terminal): Command {
  const command = new Command('work').description(
    'take pictures from a queue, which batch --queue fills, and paint them, until it is stopped',
  );
  const stopping =
    'SIGTERM and Ctrl-C return the pictures in progress to the queue; a second one stops at once.';
  return addFlags(command, workCommandOptions, ['queue'])
    .addHelpText('after', `\n${stopping}\n${exitCodesHelp}\n`)
    .action((flags: Readonly<Record<string, unknown>>) => serve(flags, terminal));
}

async function serve(flags: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<void> {
  const options = workOptions.read(only(workOptions.options, flags) as unknown as WorkOptions);
  const { json, quiet } = flags;
  const { stdout, stderr } = terminal;
  const line = (text: string) => {
    if (!json && !quiet) stderr.write(printable(`${text}\n`));
  };
  await interruptible(
    terminal,
    async ({ signal, attend }) => {
      // Jobs in progress have to be returned, which takes as long as the server needs.
      attend();
      await work({
        ...options,
        signal,
        onReady({ jobs, threads }) {
          if (json) stderr.write(jsonLine({ type: 'ready', jobs, threads }));
          line(`ready: ${jobs} pictures at once, ${threads} ${threads === 1 ? 'thread' : 'threads'} each`);
        },
        onRecord(record) {
          if (json) stdout.write(jsonLine(record));
          else if (record.state === 'failed') line(`failed: ${record.output}: ${record.error.message}`);
          else line(`${record.output}: ${record.width}x${record.height}, ${record.seconds.toFixed(1)} s`);
        },
        onWarning(message) {
          if (json) stderr.write(jsonLine({ type: 'warning', message }));
          line(`warning: ${message}`);
        },
      });
      signal.throwIfAborted();
    },
    () => line('stopping: pictures in progress go back into the queue; a second request ends at once'),
  );
}
