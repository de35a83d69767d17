import type { ErrorRecord } from '../../worker/error-record';
import type { BatchRecord, Job } from '../job';
import type { JobStepEvent, JobWarningEvent } from '../painter';
import type { SharedNumbers } from '../shared-weights';

/** What a worker is given when it starts. */
export interface WorkerStart {
  /** Bytes that the whole program may take. */
  readonly memory: number | undefined;
}

/** A message to a worker. */
export type ToWorker =
  /** Asks for the memory that a job would take; nothing is painted. */
  | { readonly type: 'plan'; readonly job: Job; readonly threads: number }
  | { readonly type: 'paint'; readonly job: Job; readonly threads: number }
  /** The memory that the worker has planned is there. */
  | { readonly type: 'room' }
  /** Weights of a network or targets of a style; without numbers the worker computes them and answers `computed`. */
  | { readonly type: 'shared'; readonly key: string; readonly numbers: SharedNumbers | undefined }
  /** Ends the job in progress. */
  | { readonly type: 'abort' };

/** A message from a worker. */
export type FromWorker =
  | { readonly type: 'ready' }
  /** The answer to `plan`: the memory that the job would take. */
  | { readonly type: 'plan'; readonly bytes: number }
  /** A job asks for the memory that it has planned, and waits. */
  | { readonly type: 'needs-room'; readonly bytes: number }
  | { readonly type: 'progress'; readonly event: JobStepEvent | JobWarningEvent }
  /** A job asks for weights of a network or targets of a style, and waits. */
  | { readonly type: 'needs-shared'; readonly key: string }
  /** What the worker was told to compute; without numbers it could not, or nothing in it wants them any more. */
  | { readonly type: 'computed'; readonly key: string; readonly numbers: SharedNumbers | undefined }
  | { readonly type: 'record'; readonly record: BatchRecord }
  /** The job has ended without a record: it was aborted, or could not be planned. */
  | { readonly type: 'failed'; readonly error: ErrorRecord };
