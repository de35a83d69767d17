import { ImageError, InvalidArgumentError } from '../errors';
import { showValue } from '../options/show';
import type { Input } from './terminal';

/** The argument that stands for stdin or stdout. */
export const dash = '-';

/** The limit for files of pictures. */
const maxBytes = 2 ** 29;

/**
 * A picture as an argument names it: the bytes of stdin for `-`, else the path or URL itself.
 *
 * @throws InvalidArgumentError if stdin is a terminal; ImageError if it holds more than 512 MiB; the signal's reason
 */
export async function fileOrStdin(
  option: string,
  argument: string,
  stdin: Input,
  signal: AbortSignal,
): Promise<string | Uint8Array> {
  return argument === dash ? readStdin(option, stdin, signal) : argument;
}

/** Throws if several pictures are to come from stdin. */
export function requireOneDash(inputs: Readonly<Record<string, string | undefined>>): void {
  const names = Object.keys(inputs).filter((name) => inputs[name] === dash);
  if (names.length <= 1) return;
  const accepted = `one ${showValue(dash)}`;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${names.join(' and ')} are each ${showValue(dash)}, and stdin holds one picture; accepted: ${accepted}.`,
    { option: names[1], value: dash, accepted },
  );
}

/**
 * Reads stdin to its end.
 *
 * @param option name of the argument, for messages
 * @throws InvalidArgumentError if stdin is a terminal; ImageError if it holds more than 512 MiB; the reason of `signal`
 */
async function readStdin(option: string, stdin: Input, signal: AbortSignal): Promise<Uint8Array> {
  if (stdin.isTTY) {
    const accepted = 'a picture on stdin, such as < photo.jpg';
    throw new InvalidArgumentError(
      'NOT_AN_IMAGE',
      `${option} is '-', and stdin is a terminal; accepted: ${accepted}.`,
      { option, value: '-', accepted },
    );
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stdin.read(signal)) {
    length += chunk.length;
    if (length > maxBytes) {
      const accepted = `at most ${maxBytes} bytes`;
      throw new ImageError('TOO_LARGE', `${option} '-' has ${length} bytes or more; accepted: ${accepted}.`, {
        option,
        value: '-',
        accepted,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
