import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageError, InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { keepImage } from '../node/keep-image';
import { encodeImage, type ImageFormat, requireWritable, writeImage } from '../node/write-image';
import { showValue } from '../options/show';
import type { Terminal } from './terminal';

/** Where a picture goes. */
export interface Destination {
  /** For messages. */
  readonly name: string;
  /** Throws what `save` would, before there is a picture; makes the folder that it goes into. */
  prepare(): Promise<void>;
  /** Writes the picture. Where that fails, it is kept elsewhere, and the error says where. @param image not disposed */
  save(image: Image): Promise<void>;
  /** Takes back what `prepare` made, where nothing has been saved. */
  abandon(): Promise<void>;
}

/** The argument that stands for stdin or stdout. */
export const dash = '-';

/**
 * Where the value of `--output` says.
 *
 * @param inputs pictures by the name of their argument, which must not be overwritten
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
  let made: string | undefined;
  return {
    name: path,
    async prepare() {
      await requireOtherFile(path, inputs);
      // A folder that cannot be made is explained by the check of the file.
      made = await mkdir(dirname(resolve(path)), { recursive: true }).catch(() => undefined);
      await requireWritable(path, { format });
    },
    save: (image) => keeping(image, path, format, () => writeImage(image, path, { format })),
    async abandon() {
      if (made === undefined) return;
      let folder = dirname(resolve(path));
      try {
        for (; folder.length >= made.length; folder = dirname(folder)) await rmdir(folder);
      } catch {
        // Something is in it: then it is needed.
      }
    },
  };
}

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
    save: (image) =>
      keeping(image, 'out', format, async () => {
        const bytes = await encodeImage(image, { format });
        await stdout.deliver(bytes).catch((cause: NodeJS.ErrnoException) => {
          const reason = reasons[cause.code ?? ''] ?? cause.message;
          throw new ImageError('NOT_WRITABLE', `The picture cannot be written to stdout: ${reason}.`, {
            option: 'output',
            value: dash,
            cause,
          });
        });
      }),
    async abandon() {},
  };
}

const reasons: Readonly<Record<string, string>> = {
  EPIPE: 'the program that reads it has ended',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota is used up',
};

/** Writes a picture, or, where that fails after all, keeps it in another folder. */
async function keeping(
  image: Image,
  path: string,
  format: ImageFormat | undefined,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const { code, message, option, value, accepted } = error;
    const kept = await keepImage(image, path, { format });
    const where =
      kept === undefined
        ? 'No other folder takes the picture.'
        : `The picture is kept as ${showValue(kept)}.`;
    throw new ImageError(code, `${message} ${where}`, { option, value, accepted, cause: error });
  }
}

/** Throws if a file is one of the inputs, under this name or another. */
async function requireOtherFile(
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

/** The same for every path and link that leads to a file; undefined for what is no file on disk. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path.startsWith('file:') ? fileURLToPath(path) : path, { bigint: true });
    return found.isFile() ? `${found.dev}:${found.ino}` : undefined;
  } catch {
    return undefined;
  }
}
