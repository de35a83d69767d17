import { hostname } from 'node:os';
import type { Job as HeldJob, Worker } from 'bullmq';
import type { BatchRecord } from '../job';
import { failedRecord } from '../job-record';
import type { BatchProgress } from '../painter';
import { closeServer } from './close-server';
import { connect } from './connect';
import { mayPass } from './may-pass';
import { queueLocation } from './queue-url';
import { type Note, type PaintJob, type QueuedJob, queueName } from './queued-job';

/** Options of {@link serveQueue}. */
export interface ServeQueueOptions {
  /** Jobs painted at once. @default 1 */
  readonly jobs?: number | undefined;
  /**
   * Ends the work: jobs that are being painted go back into the queue, in front of the others, and the promise is
   * fulfilled.
   */
  readonly signal?: AbortSignal | undefined;
  /** Seconds without a sign of life after which a worker is taken for lost and its jobs go to others. @default 30 */
  readonly lostAfter?: number | undefined;
  /** Name of the worker, which the queue notes beside the jobs that it takes. @default host and process */
  readonly name?: string | undefined;
  /** Called once the worker is connected and takes jobs. */
  readonly onReady?: (() => void) | undefined;
  /** Called with the events of the jobs of this worker. */
  readonly onEvent?: ((event: BatchProgress) => void) | undefined;
  /** Called for each record of a job, of each attempt. */
  readonly onRecord?: ((record: BatchRecord) => void) | undefined;
  /** Called for problems of the connection, which restores itself. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Milliseconds between two notes of how far a job is. */
const noteEveryMs = 500;

/** Times that a job may lose its worker; a job that ends its workers each time must not end them all. */
const mostLosses = 5;

/** Milliseconds for jobs to stop and go back; what takes longer goes to another worker after `lostAfter`. */
const closeLimitMs = 60_000;

/** Milliseconds before a command is tried again that failed because the server was gone. */
const againAfterMs = 1_000;

/**
 * Takes jobs from a queue and paints them, until the signal aborts.
 *
 * @param paint called for up to `jobs` jobs at once. While it runs, this thread must stay free to give signs of life:
 *   painting belongs into other threads.
 * @throws InvalidArgumentError if the URL is wrong; EnvironmentError `NO_PACKAGE` or `QUEUE_UNAVAILABLE` if the server
 *   cannot be reached at the start. Later losses of the connection are waited out.
 */
export async function serveQueue(
  url: string,
  paint: PaintJob,
  {
    jobs = 1,
    signal,
    lostAfter = 30,
    name = `${hostname()}:${process.pid}`,
    onReady,
    onEvent,
    onRecord,
    onWarning,
  }: ServeQueueOptions = {},
): Promise<void> {
  const location = queueLocation(url);
  const { bullmq, redis } = await connect(location, signal);
  const running = new Map<string, AbortController>();
  let stopping = false;

  /** Paints one job that the queue gave. What is thrown tells the queue what becomes of the job. */
  const takeJob = async (held: HeldJob<QueuedJob, BatchRecord>, token?: string): Promise<BatchRecord> => {
    const { job } = held.data;
    const abort = new AbortController();
    running.set(job.id, abort);
    // A job that came while the worker was closing.
    if (stopping) abort.abort(signal?.reason);
    onEvent?.({ type: 'started', job });
    const begun = performance.now();
    let notedAt = 0;
    let noting: Promise<void> | undefined;
    /** A preview that no note has told of yet. */
    let preview: string | undefined;
    const note = (value: Note) => {
      noting = held.updateProgress(value as object).catch(() => {});
      return noting;
    };
    let record: BatchRecord;
    try {
      record = await paint(held.data, {
        signal: abort.signal,
        onProgress(progress) {
          onEvent?.({ type: 'step', job, ...progress });
          preview = progress.preview ?? preview;
          if (performance.now() - notedAt < noteEveryMs) return;
          notedAt = performance.now();
          void note({ ...progress, preview });
          preview = undefined;
        },
      });
    } catch (error) {
      if (stopping) {
        onEvent?.({ type: 'waiting', job, reason: 'returned' });
        await held.moveToWait(token);
        throw new bullmq.WaitingError();
      }
      if (abort.signal.aborted) {
        onEvent?.({ type: 'waiting', job, reason: 'lost' });
        throw error;
      }
      record = failedRecord(job, error, { begun, inputs: job.inputs });
    } finally {
      // The same job may have come anew while an attempt that was taken from this worker ended.
      if (running.get(job.id) === abort) running.delete(job.id);
    }
    await noting;
    onRecord?.(record);
    if (record.state !== 'failed') return record;
    await note({ failed: record });
    const { error } = record;
    throw mayPass(error) ? new Error(error.message) : new bullmq.UnrecoverableError(error.message);
  };

  const worker: Worker<QueuedJob, BatchRecord> = new bullmq.Worker(queueName, takeJob, {
    connection: redis,
    prefix: location.prefix,
    skipVersionCheck: true,
    concurrency: jobs,
    name,
    lockDuration: lostAfter * 1000,
    stalledInterval: lostAfter * 500,
    maxStalledCount: mostLosses,
    runRetryDelay: againAfterMs,
  });
  worker.on('error', (error) => onWarning?.(error.message));
  // Another worker has these jobs.
  worker.on('lockRenewalFailed', (ids: string[]) => {
    for (const id of ids) running.get(id)?.abort(new Error('The job was given to another worker.'));
  });
  await worker.waitUntilReady();
  onReady?.();
  await new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
  // From now on no job is taken.
  const closed = worker.close();
  stopping = true;
  for (const abort of running.values()) abort.abort(signal?.reason);
  await closeServer(redis, [{ close: () => closed }], closeLimitMs);
}
