import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EnvironmentError, InvalidArgumentError } from '../errors';
import { requireWritable } from '../node/write-image';
import { type BatchOptions, type BatchSettings, batchOptions } from './batch-options';
import type { BatchRecord, Job } from './job';
import { jobsOf } from './jobs';
import { keptRecords } from './kept-records';
import { Manifest } from './manifest';
import type { Painter } from './painter';
import { pool } from './pool/pool';
import { batchName, queuePainter } from './queue/queue-painter';
import { isRemote } from './stores';

/**
 * Paints many pictures: each of `contents` in each of `styles`, or `pairs`, into a folder, several at once in worker
 * threads, which keep the network from picture to picture; weights are read, and the targets of a style computed, once
 * for all.
 *
 * The folder's `manifest.jsonl` has a record of each picture, on the disk before the record is handed out. Pictures
 * that are in it, of the same files and settings, are kept; those that failed or changed are painted again. So a batch
 * that was interrupted, by whatever, goes on when it is started again. A picture that cannot be painted is a record
 * too, and does not stop the others.
 *
 * @param options see {@link BatchOptions}
 * @returns the record of each picture, first of those that are kept, then of each when it is done. Ending the iteration
 *   early ends the work. Nothing is painted before the iteration begins, and everything even if it is slow.
 * @throws InvalidArgumentError at once if an option is wrong, or two pictures would be written to one file
 * @throws EnvironmentError from the iteration: `IN_USE` if another batch has the folder, `NOT_WRITABLE` if a picture or
 *   the manifest cannot be written, `WORKER_UNAVAILABLE` if worker threads do not start; WeightsError if there are no
 *   weights; the signal's reason
 * @example
 * ```ts
 * for await (const record of batch({ contents: ['photo.jpg'], styles: ['painting.jpg'], output: 'out' }))
 *   console.log(record.output, record.state);
 * ```
 */
export function batch(options: BatchOptions): AsyncIterable<BatchRecord> {
  return batchBy(options, (settings) => {
    const { queue, output, jobs, threads, memory } = settings;
    if (queue === undefined) return pool({ workers: jobs, threads, memory });
    requireNone(settings);
    return queuePainter({ queue, batch: batchName(output) });
  });
}

/** Throws for options that are the workers' if there is a queue. */
function requireNone(settings: BatchSettings): void {
  for (const option of ['jobs', 'threads', 'memory'] as const) {
    const value = settings[option];
    if (value === undefined) continue;
    const accepted = 'queue alone; the workers of the queue have options of their own';
    const message = `${option} has no effect beside queue; accepted: ${accepted}.`;
    throw new InvalidArgumentError('CONFLICTING_OPTIONS', message, { option, value, accepted });
  }
}

/** {@link batch} by a painter. */
export function batchBy(
  options: BatchOptions,
  painterOf: (settings: BatchSettings) => Painter,
): AsyncIterable<BatchRecord> {
  const settings = batchOptions.read(options);
  batchOptions.options.output.require('output', settings.output);
  const jobs = jobsOf(settings);
  return run(settings, jobs, painterOf(settings));
}

async function* run(
  { output, signal, onProgress }: BatchSettings,
  jobs: readonly Job[],
  painter: Painter,
): AsyncGenerator<BatchRecord> {
  signal?.throwIfAborted();
  await prepare(output, jobs);
  const manifest = await Manifest.open(output);
  try {
    const kept = await keptRecords(jobs, manifest, signal);
    onProgress?.({ type: 'batch', jobs: jobs.length, kept: kept.size });
    yield* kept.values();
    const left = jobs.filter(({ id }) => !kept.has(id));
    for await (const record of painter.paint(left, { signal, onProgress })) {
      await manifest.append(record);
      const { preview } = record;
      if (preview && !isRemote(preview.output)) await rm(preview.output, { force: true });
      yield record;
      requireSpace(record);
    }
  } finally {
    await manifest.close();
  }
}

/** Makes the folder of each output, and throws if one of them, or a file in it, cannot be written. */
async function prepare(output: string, jobs: readonly Job[]): Promise<void> {
  const outputs = jobs.map((job) => job.output).filter((place) => !isRemote(place));
  for (const folder of new Set([output, ...outputs.map(dirname)])) {
    // If a folder cannot be made, writing to it fails with an error that says why.
    await mkdir(folder, { recursive: true }).catch(() => {});
  }
  for (const place of outputs) await requireWritable(place);
}

/** Throws if a picture could not be written. Its folder could be when the batch began: the next would be lost too. */
function requireSpace(record: BatchRecord): void {
  if (record.state !== 'failed' || record.error.code !== 'NOT_WRITABLE') return;
  throw new EnvironmentError(
    'NOT_WRITABLE',
    `${record.error.message} The batch ends here; when it is started again, it goes on with what is missing.`,
    { option: 'output', value: record.output },
  );
}
