import type { Job, JobsOptions, Queue } from 'bullmq';
import { ComputationError } from '../../errors';
import type { BatchRecord, FailedRecord } from '../job';
import { failedRecord } from '../job-record';
import type { BatchProgress } from '../painter';
import { Stream } from '../pool/stream';
import { type JobProgress, type Note, type QueuedJob, queueName } from './queued-job';

/** A job as the server holds it. */
export type HeldJob = Job<QueuedJob, BatchRecord, string>;

/** Events of the server that say something of a job. */
export const serverEvents = [
  'active',
  'waiting',
  'delayed',
  'stalled',
  'progress',
  'completed',
  'failed',
  'removed',
] as const;

/** An event of the server. */
export interface ServerEvent {
  readonly event: (typeof serverEvents)[number];
  readonly jobId: string;
  /** State of the job before. */
  readonly prev?: string | undefined;
  /** What a worker noted beside the job. */
  readonly data?: unknown;
}

/** Jobs looked at together. */
const together = 500;
/** Milliseconds between two looks at jobs whose events may have been missed. */
const lookEveryMs = 30_000;

/**
 * Follows jobs until each has its record. Events tell what happens at once; as the server keeps only the last of them
 * and forgets some when it is restarted, the jobs themselves are looked at as well: at the start, after every
 * reconnection, and twice a minute.
 */
export class Following {
  private readonly open = new Map<string, QueuedJob>();
  private readonly channel = new Stream<BatchRecord>();
  private readonly looking = setInterval(() => this.look(), lookEveryMs);
  /** Jobs that were active and wait again, until it is known whether their worker was lost. */
  private readonly returned = new Set<string>();
  private closed = false;

  constructor(
    private readonly queue: Queue<QueuedJob, BatchRecord>,
    /** How a job is added that the server has lost. */
    private readonly optionsOf: (queued: QueuedJob) => JobsOptions,
    private readonly onEvent: ((event: BatchProgress) => void) | undefined,
  ) {}

  /** Records of the jobs, in the order in which they end, until {@link end} has been called and none is open. */
  readonly records = () => this.channel[Symbol.asyncIterator]();

  /** Adds jobs, which are on the server, to those that are followed. */
  async add(jobs: readonly QueuedJob[]): Promise<void> {
    for (const queued of jobs) this.open.set(queued.job.id, queued);
    await this.lookAt(jobs.map(({ job }) => job.id));
  }

  /** No more jobs will be added. */
  end(): void {
    this.ended = true;
    this.endIfDone();
  }
  private ended = false;

  /** Looks at all jobs without a record, in the background. */
  look(): void {
    void this.lookAtAll().catch(() => {
      // The connection is lost; the next look is after it has been restored.
    });
  }

  fail(error: unknown): void {
    this.channel.fail(error);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.looking);
  }

  /** Takes an event of the server, if it is of one of these jobs. */
  hear({ event, jobId, prev, data }: ServerEvent): void {
    const queued = this.open.get(jobId);
    if (queued === undefined) return;
    const { job } = queued;
    const tell = (event: BatchProgress) => this.onEvent?.(event);
    switch (event) {
      case 'active':
        tell({ type: 'started', job });
        break;
      case 'delayed':
        tell({ type: 'waiting', job, reason: 'failed' });
        break;
      case 'waiting':
        // Events of jobs that are added have no previous state.
        if (prev === 'active') this.tellReturned(job, tell);
        break;
      case 'stalled':
        this.returned.delete(jobId);
        tell({ type: 'waiting', job, reason: 'lost' });
        break;
      case 'progress':
        if (!('failed' in (data as Note))) tell({ type: 'step', job, ...(data as JobProgress) });
        break;
      case 'removed':
        this.take(queued, failed(queued, 'MISSING', 'The job was removed from the queue.'));
        break;
      case 'completed':
      case 'failed':
        void this.lookAt([jobId]).catch(() => {});
    }
  }

  /** A job of a lost worker has an event `stalled` right after this one: the server writes both at once. */
  private tellReturned(job: QueuedJob['job'], tell: (event: BatchProgress) => void): void {
    this.returned.add(job.id);
    setImmediate(() => {
      if (this.returned.delete(job.id)) tell({ type: 'waiting', job, reason: 'returned' });
    });
  }

  private async lookAtAll(): Promise<void> {
    const ids = [...this.open.keys()];
    for (let i = 0; i < ids.length && !this.closed; i += together)
      await this.lookAt(ids.slice(i, i + together));
  }

  private async lookAt(ids: readonly string[]): Promise<void> {
    const lost: QueuedJob[] = [];
    await Promise.all(
      ids.map(async (id) => {
        const held = (await this.queue.getJob(id)) as HeldJob | undefined;
        const queued = this.open.get(id);
        if (queued === undefined || this.closed) return;
        if (held === undefined) lost.push(queued);
        else this.take(queued, recordOf(held));
      }),
    );
    // A server that was restarted without its data.
    await this.queue.addBulk(
      lost.map((queued) => ({ name: queueName, data: queued, opts: this.optionsOf(queued) })),
    );
  }

  private take(queued: QueuedJob, record: BatchRecord | undefined): void {
    if (record === undefined || !this.open.delete(queued.job.id)) return;
    this.channel.push(record);
    this.endIfDone();
  }

  private endIfDone(): void {
    if (this.ended && this.open.size === 0) this.channel.end();
  }
}

/** The record of a job that has ended; undefined if it has not. */
export function recordOf(held: HeldJob): BatchRecord | undefined {
  if (held.finishedOn === undefined || held.finishedOn === null) return undefined;
  if (held.returnvalue) return held.returnvalue;
  const note = held.progress as Note;
  const { failedReason = '' } = held;
  if (typeof note === 'object' && 'failed' in note && note.failed.error.message === failedReason)
    return note.failed;
  return failed(held.data, 'WORKER_LOST', `The workers that took the job were lost (${failedReason}).`);
}

const failed = (queued: QueuedJob, code: 'MISSING' | 'WORKER_LOST', message: string): FailedRecord =>
  failedRecord(queued.job, new ComputationError(code, message), {
    begun: performance.now(),
    inputs: queued.job.inputs,
  });
