import { randomUUID } from 'node:crypto';
import { access, constants, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file so that a reader, a crash or a full disk sees the old content or the new, never half of it: into a temporary file in
 * the same folder, which then takes the name. A link stays a link; a device or a pipe is written to directly.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  if (existing && !existing.isFile()) return writeFile(path, bytes);
  const target = existing ? await realpath(path) : path;
  const temporary = temporaryName(target);
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
  const existing = await stat(path).catch(() => undefined);
  if (existing) await access(path, constants.W_OK);
  if (existing && !existing.isFile()) return;
  // Trying is the only test that knows of read-only disks, quotas and permissions alike.
  const temporary = temporaryName(existing ? await realpath(path) : path);
  await (await open(temporary, 'wx')).close();
  await rm(temporary);
}

const temporaryName = (path: string) => join(dirname(path), `.${basename(path)}.${randomUUID()}`);
