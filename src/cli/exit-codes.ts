import { CommanderError } from 'commander';
import { InvalidArgumentError } from '../errors';
import type { StopSignal } from './terminal';

/** The exit codes of the command. */
export const exitCodes = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** What a run rejects with that was asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: StopSignal) {
    super(`interrupted by ${signal}`);
  }
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  // A shell's convention: 128 and the signal's number.
  if (error instanceof Interrupted) return error.signal === 'SIGINT' ? 130 : 143;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
  return error instanceof InvalidArgumentError ? exitCodes.wrongUsage : exitCodes.failed;
}
