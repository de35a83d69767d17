import { abortSignal, callback, number, optionTable } from '../../options/table';
import type { BatchRecord } from '../job';
import type { BatchProgress } from '../painter';
import { JobThreads } from '../pool/job-threads';
import { workLoadOptions } from '../work-load';
import { queueOption } from './queue-option';
import { serveQueue } from './serve-queue';

/** Options of {@link work}. */
export interface WorkOptions {
  /** The queue: `redis://host:port/prefix`. */
  readonly queue: string;
  /** Pictures that are painted at once, 1 to 256. @default as many as cores and memory suffice for */
  readonly jobs?: number | undefined;
  /**
   * Threads of each picture, 1 to 8 or to the processor's hardware threads.
   * @default the cores that there are for each
   */
  readonly threads?: number | undefined;
  /** Bytes that the whole program may take. @default the machine's memory */
  readonly memory?: number | undefined;
  /**
   * Seconds without a sign of life after which this worker is taken for lost and its jobs go to others, 1 to 3600.
   * @default 30
   */
  readonly lostAfter?: number | undefined;
  /** Ends the work: pictures in progress go back into the queue, and the promise is fulfilled. */
  readonly signal?: AbortSignal | undefined;
  /** Called once the worker takes jobs, with how many at once and the threads of each. */
  readonly onReady?: ((size: { readonly jobs: number; readonly threads: number }) => void) | undefined;
  /** Called with the events of the jobs of this worker. */
  readonly onEvent?: ((event: BatchProgress) => void) | undefined;
  /** Called with the record of each attempt at a job. */
  readonly onRecord?: ((record: BatchRecord) => void) | undefined;
  /** Called for problems of the connection, which restores itself. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Every option of {@link work}. */
export const workOptions = optionTable<WorkOptions>()('work', {
  queue: queueOption,
  ...workLoadOptions,
  lostAfter: number({
    min: 1,
    max: 3600,
    default: 30,
    flag: '--lost-after <seconds>',
    help: 'seconds without a sign of life after which the worker is taken for lost and its jobs go to others',
  }),
  signal: abortSignal(),
  onReady: callback<NonNullable<WorkOptions['onReady']>>(),
  onEvent: callback<NonNullable<WorkOptions['onEvent']>>(),
  onRecord: callback<NonNullable<WorkOptions['onRecord']>>(),
  onWarning: callback<NonNullable<WorkOptions['onWarning']>>(),
});

/**
 * Takes jobs from a queue, which `batch({ queue })` or another program fills, and paints them in worker threads of this
 * process, until the signal aborts. Any number of machines may do so.
 *
 * @throws InvalidArgumentError if an option is wrong; EnvironmentError `NO_PACKAGE` if bullmq or ioredis is not
 *   installed, `QUEUE_UNAVAILABLE` if the server cannot be reached at the start, `WORKER_UNAVAILABLE` if threads do not
 *   start
 * @example
 * ```ts
 * const stopping = new AbortController();
 * process.once('SIGTERM', () => stopping.abort());
 * await work({ queue: 'redis://localhost:6379/pictures', signal: stopping.signal });
 * ```
 */
export async function work(options: WorkOptions): Promise<void> {
  const settings = workOptions.read(options);
  workOptions.options.queue.require('queue', settings.queue);
  const { queue, jobs, threads, memory, onReady, ...serving } = settings;
  const painting = new JobThreads({ workers: jobs, threads, memory });
  const { size } = painting;
  try {
    await serveQueue(
      queue,
      ({ job }, { signal, onProgress }) =>
        painting.paint(job, {
          signal,
          onProgress(event) {
            if (event.type === 'step') {
              const { type: _, job: __, ...progress } = event;
              onProgress(progress);
            } else serving.onEvent?.(event);
          },
        }),
      {
        ...serving,
        jobs: size.workers,
        onReady: () => onReady?.({ jobs: size.workers, threads: size.threads }),
      },
    );
  } finally {
    await painting.close();
  }
}
