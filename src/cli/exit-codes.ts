import { CommanderError } from 'commander';
import { InvalidArgumentError } from '../errors';
import type { StopSignal } from './terminal';

/** The exit codes of the command. A signal's is a shell's: 128 and the number of the signal. */
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

/** What a run rejects with that was asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: StopSignal) {
    super(`interrupted by ${signal}`);
  }
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return exitCodes[error.signal];
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
  return error instanceof InvalidArgumentError ? exitCodes.wrongUsage : exitCodes.failed;
}

/** The signal that an exit code stands for, if any. */
export function signalOf(exitCode: number): StopSignal | undefined {
  return (['SIGHUP', 'SIGINT', 'SIGTERM'] as const).find((signal) => exitCodes[signal] === exitCode);
}
