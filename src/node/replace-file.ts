import { randomUUID } from 'node:crypto';
import { constants, open as openFd, type Stats } from 'node:fs';
import {
  access,
  type FileHandle,
  lstat,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';

/**
 * Replaces a file atomically: after a crash or a full disk it has the old content or the new one. Writes to a temporary
 * file in the same folder, then renames it. A link stays a link and its target is written, existing or not; a device or
 * a pipe is written directly. Removes temporary files that killed programs left in the folder.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const existing = await statOf(path);
  if (existing?.isFIFO()) return writePipe(path, bytes);
  if (existing && !existing.isFile()) return writeFile(path, bytes);
  await replaceFileBy(path, (_, handle) => handle.writeFile(bytes), existing?.mode);
}

/**
 * As {@link replaceFile}, with a file that something else writes.
 *
 * @param write writes the file, which is empty so far, by its temporary name or its handle; its bytes are on the disk
 *   before the name changes
 * @param mode permissions of the file
 */
export async function replaceFileBy(
  path: string,
  write: (temporary: string, handle: FileHandle) => Promise<void>,
  mode?: number,
): Promise<void> {
  const target = await targetOf(path);
  const folder = dirname(target);
  await removeLeftovers(folder);
  const temporary = temporaryFile(folder);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await write(temporary, handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** Rejects as {@link replaceFile} would if the file cannot be written; leaves no file behind. */
export async function probeFile(path: string): Promise<void> {
  const existing = await statOf(path);
  if (existing) await access(path, constants.W_OK);
  if (existing && !existing.isFile()) return;
  // Only an attempt detects read-only disks, quotas and permissions alike.
  const temporary = temporaryFile(dirname(await targetOf(path)));
  await (await open(temporary, 'wx')).close();
  await rm(temporary);
}

/**
 * The file that a path leads to through links. Unlike `realpath` it also follows dangling links, to the name of the
 * missing file.
 */
export async function targetOf(path: string): Promise<string> {
  let target = path;
  // Linux follows at most this many.
  for (let links = 0; links < 40; links++) {
    const found = await lstat(target).catch(unlessMissing);
    if (!found?.isSymbolicLink()) return join(await realpath(dirname(target)), basename(target));
    target = resolve(await realpath(dirname(target)), await readlink(target));
  }
  throw Object.assign(new Error(`${path} is a circle of links`), { code: 'ELOOP' });
}

const statOf = (path: string): Promise<Stats | undefined> => stat(path).catch(unlessMissing);

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * Writes to a pipe whose other end is open. Non-blocking, by the event loop: a thread that waits for a reader would
 * keep the program from ending.
 */
async function writePipe(path: string, bytes: Uint8Array): Promise<void> {
  const fd = await promisify(openFd)(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0));
  const pipe = new Socket({ fd, readable: false, writable: true });
  pipe.end(bytes);
  await finished(pipe);
}

const [prefix, suffix] = ['.tfjs-style-transfer-', '.tmp'];

/** Whether a name is that of a file that is being written, or was when its program was killed. */
export const isTemporary = (name: string): boolean => name.startsWith(prefix) && name.endsWith(suffix);

const temporaryFile = (folder: string) => join(folder, `${prefix}${randomUUID()}${suffix}`);

/** Age at which a temporary file counts as left by a killed program; writing takes seconds. */
const leftoverAfterMs = 3_600_000;

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!isTemporary(name)) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() && Date.now() - found.mtimeMs > leftoverAfterMs)
      await rm(path, { force: true }).catch(() => {});
  }
}
