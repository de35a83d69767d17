import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { EnvironmentError } from '../errors';
import { showText, showValue } from '../options/show';

/** A folder that this process has to itself. */
export interface FolderLock {
  /** Lets others have the folder. Safe to call twice. */
  release(): Promise<void>;
}

/** Who holds a lock. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process started, as the system tells it: another process may have got its number since. */
  readonly started: string | undefined;
  /** Of this lock alone. */
  readonly token: string;
}

/** A lock as it lies in the folder. */
interface Lock {
  readonly text: string;
  /** Undefined if the text is none of this program. */
  readonly holder: Holder | undefined;
}

/**
 * Locks a folder by a file in it, which names the process that holds it. The lock of a process that was killed counts
 * no more; whether one of another machine still runs is not known here, so its lock has to be removed by hand.
 *
 * @param name of the lock: `batch` makes `.batch.lock`
 * @throws EnvironmentError `IN_USE` if another process, or another part of this one, holds it; `NOT_WRITABLE`
 */
export async function lockFolder(folder: string, name: string): Promise<FolderLock> {
  const path = join(folder, `.${name}.lock`);
  const own: Holder = {
    host: hostname(),
    pid: process.pid,
    started: await startOf(process.pid),
    token: randomUUID(),
  };
  const complete = `${path}.${own.token}`;
  try {
    await writeFile(complete, JSON.stringify(own), { flag: 'wx' });
  } catch (cause) {
    throw notWritable(folder, cause);
  }
  try {
    // A link appears with its content, and only if there is none of its name.
    while (!(await succeeds(link(complete, path), 'EEXIST'))) {
      const found = await readLock(path);
      // Released meanwhile: there is nothing to remove, and whoever comes first has the folder.
      if (found === undefined) continue;
      const { holder } = found;
      if (holder !== undefined && (await runs(holder))) throw inUse(folder, path, holder);
      await removeStale(path, found, complete);
    }
  } catch (cause) {
    throw cause instanceof EnvironmentError ? cause : notWritable(folder, cause);
  } finally {
    await rm(complete, { force: true });
  }
  await removeLeftovers(folder, path).catch(() => {});
  return {
    async release() {
      const found = await readLock(path).catch(() => undefined);
      if (found?.holder?.token === own.token) await rm(path, { force: true });
    },
  };
}

/**
 * Removes a lock that nobody holds. Only one process at a time may, who has made a file for that, and only if it is
 * still what was read: another one could take for stale what is a new lock by now.
 *
 * @param complete a file that names this process
 */
async function removeStale(path: string, stale: Lock, complete: string): Promise<void> {
  const claim = `${path}.${stale.holder?.token ?? 'unknown'}.stale`;
  if (await succeeds(link(complete, claim), 'EEXIST')) {
    try {
      if ((await readLock(path))?.text === stale.text) await rm(path, { force: true });
    } finally {
      await rm(claim, { force: true });
    }
    return;
  }
  const claimant = (await readLock(claim))?.holder;
  if (claimant && !(await runs(claimant))) await rm(claim, { force: true });
  else await setTimeout(5);
}

/** Removes what processes that were killed while they locked the folder have left beside the lock. */
async function removeLeftovers(folder: string, path: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const holder = (await readLock(join(folder, name)))?.holder;
    if (holder && !(await runs(holder))) await rm(join(folder, name), { force: true });
  }
}

/** Waits for a system call. @returns false if it failed with this code */
async function succeeds(call: Promise<unknown>, code: string): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return false;
    throw error;
  }
}

/** Reads a lock; undefined if there is none. @throws if there is one that cannot be read */
async function readLock(path: string): Promise<Lock | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return { text, holder: (JSON.parse(text) ?? undefined) as Holder | undefined };
  } catch {
    return { text, holder: undefined };
  }
}

/** Whether the process that a lock names still runs, as far as that can be known. */
async function runs({ host, pid, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user may not be signalled.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return (await startOf(pid)) === started;
}

/** When a process started, in ticks since the machine did (proc(5), field 22 of stat); undefined where not known. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program, in brackets, may hold spaces and brackets.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

function inUse(folder: string, path: string, { host, pid }: Holder): EnvironmentError {
  const here = host === hostname();
  const who = here ? `process ${pid}` : `process ${pid} on ${showText(String(host))}`;
  const accepted = here
    ? 'another folder, or this one when that process has ended'
    : `another folder, or this one when that process has ended and ${showValue(path)} is removed`;
  return new EnvironmentError(
    'IN_USE',
    `The folder ${showValue(resolve(folder))} is in use by ${who}; accepted: ${accepted}.`,
    { option: 'output', value: folder, accepted },
  );
}

function notWritable(folder: string, cause: unknown): EnvironmentError {
  const reason = showText((cause as Error).message, 200);
  return new EnvironmentError(
    'NOT_WRITABLE',
    `The folder ${showValue(folder)} cannot be written to: ${reason}.`,
    {
      option: 'output',
      value: folder,
      cause,
    },
  );
}
