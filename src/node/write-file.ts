import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageError, InvalidArgumentError } from '../errors';
import { showText, showValue } from '../options/show';
import { probeFile, replaceFile, targetOf } from './replace-file';

/**
 * Replaces a file atomically, with errors that say what to do.
 *
 * @throws ImageError `NOT_WRITABLE`
 */
export async function writeBytes(file: string, bytes: Uint8Array): Promise<void> {
  await explaining(file, () => replaceFile(file, bytes));
}

/**
 * Adds text at the end of a file, on the disk before this returns.
 *
 * @throws ImageError `NOT_WRITABLE`; a part of the text may have been added
 */
export async function appendText(file: string, text: string): Promise<void> {
  await explaining(file, async () => {
    const handle = await open(file, 'a');
    try {
      await handle.appendFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Throws the errors of {@link writeBytes} in advance. */
export async function requireWritableFile(file: string): Promise<void> {
  const existing = await stat(file).catch(() => undefined);
  if (existing?.isDirectory()) throw notWritable(file, 'it is a folder; name a file in it');
  await explaining(file, () => probeFile(file));
}

/** The path that a path or a `file:` URL names. */
export function filePath(path: string | URL): string {
  if (path instanceof URL || (typeof path === 'string' && path.startsWith('file:'))) {
    const url = new URL(path);
    if (url.protocol === 'file:') return fileURLToPath(url);
  } else if (typeof path === 'string' && path !== '') return path;
  const accepted = 'a path or a file: URL';
  throw new InvalidArgumentError('WRONG_TYPE', `path is ${showValue(path)}; accepted: ${accepted}.`, {
    option: 'path',
    value: path,
    accepted,
  });
}

async function explaining(file: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const folder = dirname(await targetOf(file).catch(() => file));
    const reasons: Record<string, string> = {
      ENOENT: `there is no folder ${showValue(folder)}; create it first`,
      ELOOP: 'it is a link that leads back to itself',
      ENAMETOOLONG: 'the name is too long',
      ENXIO: 'it is a pipe that no program reads from, or a device that does not exist',
      EPIPE: 'the program that read from it has ended',
      ENOTDIR: `${showValue(folder)} is no folder`,
      EACCES: 'permission is denied; choose another folder or change its permissions',
      EPERM: 'permission is denied; choose another folder or change its permissions',
      ERR_ACCESS_DENIED:
        "Node's permission model forbids it; start Node with --allow-fs-write for the folder",
      EROFS: 'the disk is read-only; choose another folder',
      ENOSPC: 'the disk is full; free some space or choose another disk. The previous content is untouched',
      EDQUOT:
        'your quota is used up; free some space or choose another disk. The previous content is untouched',
    };
    throw notWritable(file, reasons[code ?? ''] ?? showText(message), cause);
  }
}

function notWritable(file: string, reason: string, cause?: unknown): ImageError {
  return new ImageError('NOT_WRITABLE', `${showValue(file)} cannot be written: ${reason}.`, {
    option: 'path',
    value: file,
    accepted: 'a file in a folder that can be written to',
    cause,
  });
}
