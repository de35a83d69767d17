import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageError, InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { keepImage } from '../node/keep-image';
import {
  encodeImage,
  type ImageFormat,
  requireWritable,
  type WriteImageOptions,
  writeImage,
} from '../node/write-image';
import { showValue } from '../options/show';
import type { SettingsRecord } from '../transfer/settings-record';
import { dash } from './read-stdin';
import type { Terminal } from './terminal';

/** The destination of a picture. */
export interface Destination {
  /** For messages. */
  readonly name: string;
  /** Checks before any work that `save` will be possible; leaves nothing behind. @throws as `save` */
  prepare(): Promise<void>;
  /**
   * Writes the picture and makes its folder.
   *
   * @param image not disposed
   * @param settings a record to write into the file
   * @throws ImageError if that fails; the picture is then in another folder, which the message names
   */
  save(image: Image, settings?: SettingsRecord): Promise<void>;
}

/**
 * The destination that `--output` names.
 *
 * @param inputs pictures by the name of their argument; `prepare` refuses to overwrite one
 */
export function destinationOf(
  output: string,
  format: ImageFormat | undefined,
  inputs: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Destination {
  return output === dash ? toStdout(terminal, format) : toFile(output, format, inputs);
}

function toFile(
  path: string,
  format: ImageFormat | undefined,
  inputs: Readonly<Record<string, string | undefined>>,
): Destination {
  const folder = dirname(resolve(pathOf(path)));
  return {
    name: path,
    async prepare() {
      await requireOtherFile(path, inputs);
      // If the folder cannot be made, `requireWritable` fails with an error that says why.
      const made = await mkdir(folder, { recursive: true }).catch(() => undefined);
      try {
        await requireWritable(path, { format });
      } finally {
        // A signal may end the process at any time from now on.
        if (made !== undefined) await removeFolders(folder, made);
      }
    },
    save: (image, settings) =>
      keeping(image, path, { format, settings }, async (options) => {
        await mkdir(folder, { recursive: true }).catch(() => {});
        await writeImage(image, path, options);
      }),
  };
}

/** Removes a folder and those around it up to `outermost`, as far as they are empty. */
async function removeFolders(folder: string, outermost: string): Promise<void> {
  try {
    for (let next = folder; next.length >= outermost.length; next = dirname(next)) await rmdir(next);
  } catch {
    // Not empty.
  }
}

const pathOf = (path: string) => (path.startsWith('file:') ? fileURLToPath(path) : path);

function toStdout({ stdout }: Terminal, format: ImageFormat = 'png'): Destination {
  const name = 'stdout';
  return {
    name,
    async prepare() {
      if (!stdout.isTTY) return;
      const accepted = 'a file, or stdout that is a file or a pipe';
      throw new InvalidArgumentError(
        'NOT_WRITABLE',
        `output is ${showValue(dash)}, and stdout is a terminal, which shows no pictures; accepted: ${accepted}.`,
        { option: 'output', value: dash, accepted },
      );
    },
    save: (image, settings) =>
      keeping(image, 'out', { format, settings }, async (options) => {
        const bytes = await encodeImage(image, options);
        await stdout.deliver(bytes).catch((cause: NodeJS.ErrnoException) => {
          const reason = reasons[cause.code ?? ''] ?? cause.message;
          throw new ImageError('NOT_WRITABLE', `The picture cannot be written to stdout: ${reason}.`, {
            option: 'output',
            value: dash,
            cause,
          });
        });
      }),
  };
}

const reasons: Readonly<Record<string, string>> = {
  EPIPE: 'the program that reads it has ended',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota is used up',
};

/** Runs `write`; if it fails, writes the picture to another folder and names that in the error. */
async function keeping(
  image: Image,
  path: string,
  options: Pick<WriteImageOptions, 'format' | 'settings'>,
  write: (options: Pick<WriteImageOptions, 'format' | 'settings'>) => Promise<void>,
): Promise<void> {
  try {
    await write(options);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const { code, message, option, value, accepted } = error;
    const kept = await keepImage(image, path, options);
    const where =
      kept === undefined
        ? 'No other folder takes the picture.'
        : `The picture is kept as ${showValue(kept)}.`;
    throw new ImageError(code, `${message} ${where}`, { option, value, accepted, cause: error });
  }
}

/** Throws if `path` is the same file as one of the inputs, links included. */
export async function requireOtherFile(
  path: string,
  inputs: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const output = await identityOf(path);
  if (output === undefined) return;
  for (const [name, input] of Object.entries(inputs)) {
    if (input === undefined || (await identityOf(input)) !== output) continue;
    const accepted = `another file than ${name}`;
    throw new InvalidArgumentError(
      'CONFLICTING_OPTIONS',
      `output is ${showValue(path)}, the same file as ${name}, which would be lost; accepted: ${accepted}.`,
      { option: 'output', value: path, accepted },
    );
  }
}

/** Device and inode of a regular file, which are equal for all paths and links to it; undefined for everything else. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(pathOf(path), { bigint: true });
    return found.isFile() ? `${found.dev}:${found.ino}` : undefined;
  } catch {
    return undefined;
  }
}
