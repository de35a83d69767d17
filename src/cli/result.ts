import { EnvironmentError } from '../errors';
import { printable } from './printable';
import type { Terminal } from './terminal';

/**
 * Writes a command's result to stdout. A reader that ends early, such as `head`, is no failure.
 *
 * @throws EnvironmentError `NOT_WRITABLE` if stdout cannot be written to, as on a full disk
 */
export async function deliverResult({ stdout }: Terminal, text: string): Promise<void> {
  try {
    await stdout.deliver(printable(text));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EPIPE') return;
    const reason = code === 'ENOSPC' ? 'the disk is full' : message;
    throw new EnvironmentError('NOT_WRITABLE', `The result cannot be written to stdout: ${reason}.`, {
      cause,
    });
  }
}
