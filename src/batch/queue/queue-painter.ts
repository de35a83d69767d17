import { resolve } from 'node:path';
import { hashNow } from '../hash-now';
import type { BatchRecord, Job } from '../job';
import { withId } from '../job-id';
import type { BatchProgress, Painter, PaintOptions } from '../painter';
import { isRemote } from '../stores';
import { openQueue } from './job-queue';
import { picturesOf, withAbsolutePlaces } from './places';
import type { QueuedJob } from './queued-job';

/** Name by which the batch of a folder is followed. */
export const batchName = (output: string): string => (isRemote(output) ? output : resolve(output));

/** Options of {@link queuePainter}. */
export interface QueuePainterOptions {
  /** The queue: `redis://host:port/prefix`. */
  readonly queue: string;
  /** Name of the batch, for those who follow it. */
  readonly batch: string;
}

/**
 * Paints jobs by the workers of a queue. Paths become absolute, and the jobs get the hashes of their files, so that a
 * worker that sees another file refuses it. What a job is called in the queue depends on all that, so that the same job
 * is in the queue once.
 */
export function queuePainter({ queue: url, batch }: QueuePainterOptions): Painter {
  return {
    async *paint(jobs, { signal, onProgress }: PaintOptions) {
      const queue = await openQueue(url, { signal });
      try {
        const submitted = new Map<string, Job>();
        const all = queuedJobs(jobs, batch, submitted, signal);
        const own = (job: Job): Job => submitted.get(job.id) ?? job;
        const onEvent = (event: BatchProgress) =>
          onProgress?.('job' in event ? { ...event, job: own(event.job) } : event);
        for await (const record of queue.submit(all, { signal, onEvent, isThere: isThere(signal) }))
          yield { ...record, ...own(record), inputs: record.inputs } as BatchRecord;
      } finally {
        await queue.close();
      }
    },
  };
}

/**
 * Records of the pictures of a folder's batch that are in a queue, which another program has submitted: of those that
 * have ended at once, of the others when they end.
 *
 * @throws EnvironmentError `NO_PACKAGE` or `QUEUE_UNAVAILABLE`; the signal's reason
 */
export async function* followBatch({
  queue: url,
  output,
  signal,
  onProgress,
}: PaintOptions & { readonly queue: string; readonly output: string }): AsyncGenerator<BatchRecord> {
  const queue = await openQueue(url, { signal });
  try {
    yield* queue.follow({ batch: batchName(output) }, { signal, onEvent: onProgress });
  } finally {
    await queue.close();
  }
}

async function* queuedJobs(
  jobs: readonly Job[],
  batch: string,
  submitted: Map<string, Job>,
  signal: AbortSignal | undefined,
): AsyncGenerator<QueuedJob> {
  const hashes = new Map<string, Promise<string | undefined>>();
  const hashOf = (place: string) => {
    const hash = hashes.get(place) ?? hashNow(place, signal);
    hashes.set(place, hash);
    return hash;
  };
  for (const job of jobs) {
    const absolute = withAbsolutePlaces(job);
    const inputs: Record<string, string> = {};
    for (const place of picturesOf(absolute)) {
      const hash = await hashOf(place);
      // The worker says what is wrong with a file that cannot be read.
      if (hash !== undefined) inputs[place] = hash;
    }
    const { id: _, ...what } = absolute;
    const queued = withId({ ...what, inputs });
    submitted.set(queued.id, job);
    yield { job: queued, batch };
  }
}

/** Whether the picture of a record is still there, with the same bytes. */
const isThere =
  (signal: AbortSignal | undefined) =>
  async (record: BatchRecord): Promise<boolean> =>
    record.state === 'failed' || (await hashNow(record.output, signal)) === record.sha256;
