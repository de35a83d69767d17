import { randomUUID } from 'node:crypto';
import { constants, open as openFd, type Stats } from 'node:fs';
import {
  access,
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
 * Writes a file so that a reader, a crash or a full disk sees the old content or the new, never half of it: into a
 * temporary file in the same folder, which then takes the name. A link stays a link, and what it leads to is written,
 * there or not yet; a device or a pipe is written to directly. Temporary files that killed programs left in the folder
 * are removed.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const existing = await statOf(path);
  if (existing?.isFIFO()) return writePipe(path, bytes);
  if (existing && !existing.isFile()) return writeFile(path, bytes);
  const target = await targetOf(path);
  const folder = dirname(target);
  await removeLeftovers(folder);
  const temporary = temporaryFile(folder);
  try {
    const handle = await open(temporary, 'wx', existing?.mode);
    try {
      await handle.writeFile(bytes);
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

/** Rejects, as {@link replaceFile} would, where the file cannot be written; leaves nothing behind. */
export async function probeFile(path: string): Promise<void> {
  const existing = await statOf(path);
  if (existing) await access(path, constants.W_OK);
  if (existing && !existing.isFile()) return;
  // Trying is the only test that knows of read-only disks, quotas and permissions alike.
  const temporary = temporaryFile(dirname(await targetOf(path)));
  await (await open(temporary, 'wx')).close();
  await rm(temporary);
}

/**
 * The file that a path leads to through links, whether it exists or not: where `realpath` gives up, a dangling link is
 * followed.
 */
export async function targetOf(path: string): Promise<string> {
  let target = path;
  // As many as Linux follows.
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
 * To a pipe whose other end is open. It is opened without blocking and written by the event loop: a thread that waits
 * for a reader would keep the program from ending.
 */
async function writePipe(path: string, bytes: Uint8Array): Promise<void> {
  const fd = await promisify(openFd)(path, constants.O_WRONLY | (constants.O_NONBLOCK ?? 0));
  const pipe = new Socket({ fd, readable: false, writable: true });
  pipe.end(bytes);
  await finished(pipe);
}

const [prefix, suffix] = ['.tfjs-style-transfer-', '.tmp'];

const temporaryFile = (folder: string) => join(folder, `${prefix}${randomUUID()}${suffix}`);

/** Writing takes seconds; a temporary file of an hour ago belongs to a program that was killed. */
const leftoverAfterMs = 3_600_000;

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() && Date.now() - found.mtimeMs > leftoverAfterMs)
      await rm(path, { force: true }).catch(() => {});
  }
}
