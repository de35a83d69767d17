import { existsSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import colors from 'picocolors';
import { InvalidArgumentError, StyleTransferError } from '../errors';
import { showText, showValue } from '../options/show';
import { nearestName } from '../options/validate';
import { batchCommand, batchCommandOptions } from './batch-command';
import { convertCommand, convertOptions } from './convert-command';
import { evaluateCommand, evaluateOptions } from './evaluate-command';
import { exitCodeOf, exitCodes, Interrupted } from './exit-codes';
import { inFlags, longFlag, type Options } from './flags';
import { printable, printableLine } from './printable';
import { jsonLine } from './progress-json';
import { styleCommand } from './style-command';
import { styleFileCommand, styleFileOptions } from './style-file-command';
import { styleOptions } from './style-options';
import { stylizeCommand, stylizeCommandOptions } from './stylize-command';
import { sweepCommand, sweepOptions } from './sweep-command';
import { hasColors, processTerminal, type Terminal } from './terminal';
import { trainCommand, trainOptions } from './train-command';
import { videoCommand, videoOptions } from './video-command';
import { weightsCommand, weightsOptions } from './weights-command';
import { workCommand, workCommandOptions } from './work-command';

/** The options of the command that arguments name. */
function optionsOf([command]: readonly string[]): Options {
  if (command === 'batch') return batchCommandOptions;
  if (command === 'evaluate') return evaluateOptions;
  if (command === 'style') return styleFileOptions;
  if (command === 'stylize') return stylizeCommandOptions;
  if (command === 'sweep') return sweepOptions;
  if (command === 'train') return trainOptions;
  if (command === 'video') return videoOptions;
  if (command === 'convert') return convertOptions;
  if (command === 'work') return workCommandOptions;
  return command === 'weights' ? weightsOptions : styleOptions;
}

/**
 * The program `tfjs-style-transfer`.
 *
 * @param args what follows the program's name on the command line
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 130, 143 or 129 interrupted
 */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  const program = styleCommand(terminal)
    .addCommand(evaluateCommand(terminal))
    .addCommand(weightsCommand(terminal))
    .addCommand(styleFileCommand(terminal))
    .addCommand(sweepCommand(terminal))
    .addCommand(trainCommand(terminal))
    .addCommand(batchCommand(terminal))
    .addCommand(videoCommand(terminal))
    .addCommand(convertCommand(terminal))
    .addCommand(stylizeCommand(terminal))
    .addCommand(workCommand(terminal))
    .helpCommand('help [command...]', 'how a command is used');
  prepare(program, terminal);
  const json = args.includes('--json');
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return exitCodes.wrongUsage;
    }
    await program.parseAsync(withHelpFlag(args, program), { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    // An interrupted run has already printed what it saved.
    if (!(error instanceof Interrupted || isHelp(error)))
      report(error, { json, options: optionsOf(args) }, terminal);
    return exitCodeOf(error);
  }
}

/** Makes a command and its subcommands throw instead of ending the process, and write to `terminal`. */
function prepare(command: Command, terminal: Terminal): void {
  const { stdout, stderr, env } = terminal;
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => stdout.write(printable(text)),
      writeErr: (text) => stderr.write(printable(text)),
      // Errors of usage are thrown too, and printed by `report` like all others.
      outputError() {},
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => hasColors(stdout, env),
      getErrHasColors: () => hasColors(stderr, env),
    });
  for (const under of command.commands) prepare(under, terminal);
}

/**
 * `help weights fetch` as `weights fetch --help`.
 *
 * @throws InvalidArgumentError if there is no such command, or if the first argument is a misspelt command and no file
 */
function withHelpFlag(args: readonly string[], program: Command): readonly string[] {
  const [first] = args;
  if (first !== 'help') {
    // A word without dot and slash is taken for a picture only if there is a file of that name.
    const isWord = !/^-|[./\\]/.test(first) && !existsSync(first);
    const near = isWord ? nearestName(first, commandNames(program)) : undefined;
    if (near !== undefined && near !== first) throw noCommand(first, program);
    return args;
  }
  let command = program;
  for (const name of args.slice(1)) {
    // The help of help is that of the command around it.
    if (name === 'help') break;
    const under = command.commands.find((one) => one.name() === name);
    if (under === undefined) throw noCommand(name, command);
    command = under;
  }
  return [...args.slice(1).filter((name) => name !== 'help'), '--help'];
}

const commandNames = (command: Command) => [...command.commands.map((under) => under.name()), 'help'];

function noCommand(name: string, command: Command): InvalidArgumentError {
  const accepted = commandNames(command);
  const near = nearestName(name, accepted);
  return new InvalidArgumentError(
    'UNKNOWN_NAME',
    `There is no command ${showValue(name)}${near ? `; did you mean ${near}?` : '.'} Commands: ${accepted.join(', ')}.`,
    { option: 'command', value: name, accepted },
  );
}

/** Whether Commander threw because it showed help or the version. */
const isHelp = (error: unknown) =>
  error instanceof CommanderError &&
  ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);

/** One line for people, or one line of JSON; with DEBUG set, with the stack. */
function report(
  error: unknown,
  { json, options }: { readonly json: boolean; readonly options: Options },
  { stderr, env }: Terminal,
): void {
  const { code, option, message } = described(error, options);
  const stack = env.DEBUG && error instanceof Error ? error.stack : undefined;
  if (json) {
    const flag = option === undefined ? undefined : longFlag(options[option]);
    stderr.write(jsonLine({ type: 'error', code, message, option, flag, stack }));
    return;
  }
  const { red } = colors.createColors(hasColors(stderr, env));
  const hint = code !== unexpected || stack ? '' : ' (set DEBUG=1 to see where)';
  const trace = stack ? printable(`\n${stack}`) : '';
  stderr.write(`${red('error:')} ${printableLine(message)}${hint}${trace}\n`);
}

const unexpected = 'UNEXPECTED';

/** Commander's messages contain what was typed, however long it is. */
const longestUsageError = 300;

function described(
  error: unknown,
  options: Options,
): {
  readonly code: string;
  readonly message: string;
  readonly option?: string | undefined;
} {
  if (error instanceof CommanderError) {
    // Commander puts its suggestion on a second line, in brackets.
    const message = error.message
      .replace(/^error: /, '')
      .replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?');
    return { code: 'WRONG_USAGE', message: showText(message, longestUsageError) };
  }
  if (error instanceof StyleTransferError) {
    const { code, message, option } = error;
    return { code, message: inFlags(message, options), option };
  }
  return { code: unexpected, message: error instanceof Error ? error.message : String(error) };
}
