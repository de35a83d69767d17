import { ImageError, InvalidArgumentError } from '../errors';
import type { Input } from './terminal';

/** As for pictures in files. */
const maxBytes = 2 ** 29;

/**
 * Everything that stdin holds.
 *
 * @param option the argument that names it, for messages
 * @throws InvalidArgumentError if stdin is a terminal; ImageError if it holds more than 512 MiB; the reason of `signal`
 */
export async function readStdin(option: string, stdin: Input, signal: AbortSignal): Promise<Uint8Array> {
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
