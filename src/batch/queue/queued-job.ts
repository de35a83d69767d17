import type { BatchRecord, FailedRecord, Job } from '../job';
import type { JobStepEvent } from '../painter';

/** Name of the queue and of its jobs, below the prefix. */
export const queueName = 'pictures';

/** What a queue holds of a job. */
export interface QueuedJob {
  readonly job: Job;
  /** Name of the batch that the job belongs to; those who follow a batch know it by this. */
  readonly batch: string;
}

/** How far a job is: what a worker writes beside it. */
export type JobProgress = Omit<JobStepEvent, 'type' | 'job'>;

/** What a worker writes beside a job: how far it is, or why its last attempt failed. */
export type Note = JobProgress | { readonly failed: FailedRecord };

/** Paints a job. Rejects with the signal's reason, and for what is no fault of the job. */
export type PaintJob = (queued: QueuedJob, options: PaintJobOptions) => Promise<BatchRecord>;

/** Options of a {@link PaintJob}. */
export interface PaintJobOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: JobProgress) => void;
}
