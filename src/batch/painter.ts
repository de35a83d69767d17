import type { WarningCode } from '../error-codes';
import type { StepEvent } from '../transfer/progress';
import type { BatchRecord, Job } from './job';
import type { JobRunEvent } from './run-job';

/** What paints the jobs of a batch: the worker threads of this process, or a queue that other machines take from. */
export interface Painter {
  /**
   * Paints jobs, in any order.
   *
   * @returns the record of each job, when it is done; ending the iteration early ends the work
   * @throws the signal's reason; an error that no job is to blame for, such as threads that do not start
   */
  paint(jobs: readonly Job[], options: PaintOptions): AsyncIterable<BatchRecord>;
}

/** Options of a painter's `paint`. */
export interface PaintOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with what happens to jobs, in the order of their events. */
  readonly onProgress?: ((event: BatchProgress) => void) | undefined;
}

/** An event of a batch, as plain JSON. */
export type BatchProgress = BatchStartEvent | BatchSizeEvent | JobMoveEvent | JobStepEvent | JobWarningEvent;

/** What there is to paint is known. */
export interface BatchStartEvent {
  readonly type: 'batch';
  /** Pictures of the batch. */
  readonly jobs: number;
  /** Those of them that an earlier batch has painted. */
  readonly kept: number;
}

/** How many pictures are painted at once. */
export interface BatchSizeEvent {
  readonly type: 'pool';
  /** Pictures at once. */
  readonly workers: number;
  /** Threads of each picture. */
  readonly threads: number;
  /** Memory that a picture takes by its plan, in bytes; undefined if none could be planned. */
  readonly bytes?: number | undefined;
}

/** A job of a queue changes its state. */
export interface JobMoveEvent {
  readonly type: 'submitted' | 'started' | 'waiting';
  readonly job: Job;
  /**
   * Why a job waits again: an attempt failed for a reason that may pass, its worker stopped and returned it, or its
   * worker was lost.
   */
  readonly reason?: 'failed' | 'returned' | 'lost' | undefined;
}

/** A step of a job, see {@link StepEvent}. */
export interface JobStepEvent
  extends Pick<StepEvent, 'iteration' | 'iterations' | 'evaluations' | 'loss' | 'done' | 'secondsLeft'> {
  readonly type: 'step';
  readonly job: Job;
  /** Place of the job's preview, if a new one has been written since the last event. */
  readonly preview?: string | undefined;
}

/** A problem that does not end a job. */
export interface JobWarningEvent {
  readonly type: 'warning';
  readonly job: Job;
  readonly code: WarningCode | (string & {});
  readonly message: string;
}

/** The event of a batch for an event of a run; undefined for those that a batch does not tell. */
export function jobEvent(job: Job, event: JobRunEvent): JobStepEvent | JobWarningEvent | undefined {
  if (event.type === 'step') {
    const { type, iteration, iterations, evaluations, loss, done, secondsLeft, preview } = event;
    return { type, job, iteration, iterations, evaluations, loss, done, secondsLeft, preview };
  }
  if (event.type !== 'warning') return undefined;
  const { type, code, message } = event;
  return { type, job, code, message };
}
