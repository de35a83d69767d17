import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemId } from './systems';

/** A finished run, as it is kept between calls so that an interrupted experiment goes on where it stopped. */
export interface RunRecord {
  /** Of all that decides the result; another fingerprint means another run. */
  readonly fingerprint: string;
  readonly content: string;
  readonly style: string;
  readonly system: SystemId;
  readonly evaluations: number;
  readonly iterations: number;
  /** Of the picture, without the training of a network. */
  readonly seconds: number;
  /** Of the network that painted it. */
  readonly training?: { readonly steps: number; readonly seconds: number } | undefined;
  readonly stopReason: string;
  /** What was minimised, at its end; a network that paints at once minimises nothing. */
  readonly loss?: number | undefined;
  readonly terms: Readonly<Record<string, number>>;
  /** The loss after each evaluation, the start first. */
  readonly history: readonly { readonly evaluations: number; readonly loss: number }[];
  readonly engine: string;
  readonly backend: string;
  readonly weights: string;
}

/** Files of a run in a folder: its record, and the picture it made. */
export function runFiles(
  folder: string,
  { content, style, system }: Pick<RunRecord, 'content' | 'style' | 'system'>,
) {
  const base = join(folder, `${content}--${style}--${system}`);
  return { record: `${base}.json`, picture: `${base}.png` };
}

/** The hash of values that decide a result. */
export function fingerprint(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** The hash of a file's bytes. */
export const fileHash = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/** The record of a finished run with this fingerprint; undefined where there is none, or one that cannot be read. */
export async function readRecord(file: string, expected: string): Promise<RunRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8')) as RunRecord;
    return record.fingerprint === expected ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the whole record or none of it. */
export async function writeRecord(file: string, record: RunRecord): Promise<void> {
  const partial = `${file}.part`;
  await writeFile(partial, `${JSON.stringify(record, null, 1)}\n`);
  await rename(partial, file);
}
