import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError, InvalidArgumentError } from '../errors';
import { showText, showValue } from '../options/show';
import { type FolderLock, lockFolder } from './folder-lock';
import type { BatchRecord } from './job';

/** Name of the manifest in the folder of a batch. */
export const manifestName = 'manifest.jsonl';

/**
 * What has become of the jobs of a folder: a file of JSON lines, one record each, of which the last one of a job
 * counts. A record is on the disk before `append` returns. While a manifest is open, no other batch opens it.
 */
export class Manifest {
  private readonly records = new Map<string, BatchRecord>();
  /** Appends wait for each other. */
  private last: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly lock: FolderLock,
    private length: number,
  ) {}

  /**
   * Opens the manifest of a folder, or begins it. A last line that a crash has cut short is removed.
   *
   * @param folder exists
   * @throws EnvironmentError `IN_USE` if another batch has it open; `NOT_WRITABLE`
   * @throws InvalidArgumentError `MALFORMED_MANIFEST` if a line is no record
   */
  static async open(folder: string): Promise<Manifest> {
    const path = join(folder, manifestName);
    const lock = await lockFolder(folder, 'batch');
    let file: FileHandle | undefined;
    try {
      file = await openFile(path);
      const text = await file.readFile('utf8');
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      const length = Buffer.byteLength(whole);
      if (whole.length < text.length) await file.truncate(length);
      const manifest = new Manifest(path, file, lock, length);
      for (const [i, line] of whole.split('\n').entries())
        if (line !== '') manifest.hold(recordOf(path, i + 1, line));
      return manifest;
    } catch (error) {
      await file?.close();
      await lock.release();
      throw error;
    }
  }

  /** The last record of a job; undefined if there is none. */
  record(id: string): BatchRecord | undefined {
    return this.records.get(id);
  }

  /**
   * Adds a record and waits until it is on the disk.
   *
   * @throws EnvironmentError `NOT_WRITABLE`; the file then ends with the record before
   */
  append(record: BatchRecord): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    const write = async () => {
      try {
        await this.file.appendFile(line);
        await this.file.datasync();
      } catch (cause) {
        // Without this, the next record would go on in the middle of a line.
        await this.file.truncate(this.length).catch(() => {});
        throw notWritable(this.path, cause);
      }
      this.length += line.length;
      this.hold(record);
    };
    this.last = this.last.then(write, write);
    return this.last;
  }

  /** Closes the file for others to open. Safe to call twice. */
  async close(): Promise<void> {
    await this.last.catch(() => {});
    await this.file.close();
    await this.lock.release();
  }

  private hold(record: BatchRecord): void {
    this.records.set(record.id, record);
  }
}

async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, 'a+');
  } catch (cause) {
    throw notWritable(path, cause);
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw notWritable(path, new Error('it is no regular file'));
}

function notWritable(path: string, cause: unknown): EnvironmentError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const reason = full ? 'the disk is full' : showText(message, 200);
  return new EnvironmentError(
    'NOT_WRITABLE',
    `The manifest ${showValue(path)} cannot be written: ${reason}.`,
    {
      option: 'output',
      value: path,
      cause,
    },
  );
}

/** The record of a line. */
function recordOf(path: string, number: number, line: string): BatchRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Refused below.
  }
  const { id, state, inputs } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Partial<BatchRecord>;
  if (typeof id === 'string' && (state === 'done' || state === 'failed') && typeof inputs === 'object')
    return value as BatchRecord;
  const accepted =
    'a manifest that only this program has written; remove the line, or the file to paint all anew';
  throw new InvalidArgumentError(
    'MALFORMED_MANIFEST',
    `Line ${number} of ${showValue(path)} is no record of a picture; accepted: ${accepted}.`,
    { option: 'output', value: path, accepted },
  );
}
