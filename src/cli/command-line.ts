import { type Command, CommanderError } from 'commander';
import colors from 'picocolors';
import { StyleTransferError } from '../errors';
import { evaluateCommand } from './evaluate-command';
import { exitCodeOf, exitCodes, Interrupted } from './exit-codes';
import { styleCommand } from './style-command';
import { hasColors, processTerminal, type Terminal } from './terminal';
import { weightsCommand } from './weights-command';

/**
 * The program `tfjs-style-transfer`.
 *
 * @param args what follows the program's name on the command line
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted
 */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal = processTerminal,
): Promise<number> {
  const program = styleCommand(terminal).addCommand(evaluateCommand()).addCommand(weightsCommand(terminal));
  const json = args.includes('--json');
  prepare(program, terminal, json);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    // Commander has already said what is wrong, and an interrupted run what it has saved.
    if (!(error instanceof CommanderError || error instanceof Interrupted)) report(error, json, terminal);
    return exitCodeOf(error);
  }
}

/** Has the command and those under it throw in place of ending the process, and write to the terminal. */
function prepare(command: Command, terminal: Terminal, json: boolean): void {
  const { stdout, stderr, env } = terminal;
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) =>
        write(json ? jsonError('WRONG_USAGE', text.replace(/^error: /, '').trim()) : text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => hasColors(stdout, env),
      getErrHasColors: () => hasColors(stderr, env),
    });
  for (const under of command.commands) prepare(under, terminal, json);
}

/** One line for people, or one line of JSON; with DEBUG set, where it happened as well. */
function report(error: unknown, json: boolean, { stderr, env }: Terminal): void {
  const expected = error instanceof StyleTransferError;
  const message = error instanceof Error ? error.message : String(error);
  const stack = env.DEBUG && error instanceof Error ? error.stack : undefined;
  if (json) {
    const { code, option } = expected ? error : { code: 'UNEXPECTED', option: undefined };
    stderr.write(jsonError(code, message, { option, stack }));
    return;
  }
  const { red } = colors.createColors(hasColors(stderr, env));
  const hint = expected || stack ? '' : ' (set DEBUG=1 to see where)';
  stderr.write(`${red('error:')} ${stack ?? message}${hint}\n`);
}

const jsonError = (code: string, message: string, details: object = {}) =>
  `${JSON.stringify({ type: 'error', code, message, ...details })}\n`;
