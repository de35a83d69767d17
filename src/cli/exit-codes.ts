import { CommanderError } from 'commander';
import { InvalidArgumentError } from '../errors';
import type { StopSignal } from './terminal';

/** The exit codes of the command. Those of signals are 128 plus the number of the signal, as in shells. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** The exit codes in words, for help. */
export const exitCodesHelp =
  'Exit codes: 0 done, 1 failed, 2 wrong usage, 130, 143 or 129 interrupted by Ctrl-C, SIGTERM or SIGHUP.';

/** A run was asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: StopSignal) {
    super(`interrupted by ${signal}`);
  }
}

/** The exit code for an error of a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return exitCodes[error.signal];
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
  return error instanceof InvalidArgumentError ? exitCodes.wrongUsage : exitCodes.failed;
}

/** The signal of an exit code above 128; undefined for others. */
export function signalOf(exitCode: number): StopSignal | undefined {
  return (['SIGHUP', 'SIGINT', 'SIGTERM'] as const).find((signal) => exitCodes[signal] === exitCode);
}
