import type { JobsOptions, Queue, QueueEvents } from 'bullmq';
import type { BatchRecord } from '../job';
import type { BatchProgress } from '../painter';
import { closeServer } from './close-server';
import { connect } from './connect';
import { Following, type HeldJob, recordOf, type ServerEvent, serverEvents } from './following';
import { queueLocation } from './queue-url';
import { type JobProgress, type Note, type QueuedJob, queueName } from './queued-job';

/** Options of {@link JobQueue.submit} and {@link JobQueue.follow}. */
export interface FollowOptions {
  /**
   * Ends the following; the jobs stay in the queue, and whoever submits them again follows them. The loop throws the
   * signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
  /** Called with what happens to jobs, in the order of their events. */
  readonly onEvent?: ((event: BatchProgress) => void) | undefined;
}

/** A queue, seen from the side that has jobs to give. */
export interface JobQueue {
  /**
   * Puts jobs into the queue, as {@link submit} does, and leaves it at that.
   *
   * @returns once the server has them
   */
  add(jobs: readonly QueuedJob[]): Promise<void>;
  /**
   * Puts jobs into the queue and gives their records as they end. A job is known by its id: one that is in the queue is
   * followed and not added, one that failed is started again. A job that is done gives its record at once if
   * `isThere(record)`, else it is started again.
   */
  submit(
    jobs: Iterable<QueuedJob> | AsyncIterable<QueuedJob>,
    options?: FollowOptions & {
      readonly isThere?: ((record: BatchRecord) => boolean | Promise<boolean>) | undefined;
    },
  ): AsyncGenerator<BatchRecord, void, undefined>;
  /** Records of those jobs of a batch, or of one job, that are in the queue, those that have ended included. */
  follow(
    which: { readonly batch: string } | { readonly job: string },
    options?: FollowOptions,
  ): AsyncGenerator<BatchRecord, void, undefined>;
  /** What the queue knows of a job; undefined if it has none of that id. */
  get(id: string): Promise<JobStatus | undefined>;
  /** How many jobs of all batches are in which state. */
  counts(): Promise<QueueCounts>;
  /** Closes the connections; the jobs stay. Safe to call twice. */
  close(): Promise<void>;
}

/** What a queue knows of a job. */
export interface JobStatus {
  readonly queued: QueuedJob;
  /** How far the job is; undefined before its first step. */
  readonly progress?: JobProgress | undefined;
  /** What became of it; undefined while it waits or is painted. */
  readonly record?: BatchRecord | undefined;
}

/** Numbers of jobs by their state. */
export interface QueueCounts {
  /** Jobs that wait for a worker. */
  readonly waiting: number;
  /** Jobs that workers paint. */
  readonly active: number;
  /** Jobs that wait for another attempt. */
  readonly delayed: number;
  /** Jobs that are done, of the last seven days. */
  readonly completed: number;
  /** Jobs that failed, of the last seven days. */
  readonly failed: number;
}

/** Jobs added in one request. */
const together = 500;

const keptFor = { age: 7 * 24 * 3600 };

/** Attempts of a job whose failures may pass: the pauses between them are about 1, 2, 4 and 8 seconds. */
const attempts = 5;

const optionsOf = ({ job }: QueuedJob): JobsOptions => ({
  jobId: job.id,
  attempts,
  backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
  removeOnComplete: keptFor,
  removeOnFail: keptFor,
  stackTraceLimit: 0,
});

/**
 * Connects to a queue: `redis://host:port/prefix`.
 *
 * @returns a queue, which the caller closes
 * @throws InvalidArgumentError if the URL is wrong; EnvironmentError `NO_PACKAGE` or `QUEUE_UNAVAILABLE`
 */
export async function openQueue(
  url: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<JobQueue> {
  const location = queueLocation(url);
  const { bullmq, redis } = await connect(location, signal);
  const settings = { connection: redis, prefix: location.prefix, skipVersionCheck: true };
  const queue: Queue<QueuedJob, BatchRecord> = new bullmq.Queue(queueName, settings);
  const events: QueueEvents = new bullmq.QueueEvents(queueName, settings);
  // Lost connections restore themselves.
  queue.on('error', () => {});
  events.on('error', () => {});
  let closing: Promise<void> | undefined;
  const followings = new Set<Following>();
  for (const event of serverEvents)
    events.on(event, (args: Omit<ServerEvent, 'event'>) => {
      for (const following of followings) following.hear({ ...args, event });
    });
  redis.on('ready', () => {
    for (const following of followings) following.look();
  });

  async function* following(
    { signal, onEvent }: FollowOptions,
    feed: (following: Following) => Promise<void>,
  ): AsyncGenerator<BatchRecord, void, undefined> {
    signal?.throwIfAborted();
    const all = new Following(queue, optionsOf, onEvent);
    const stop = () => all.fail(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    followings.add(all);
    try {
      await events.waitUntilReady();
      feed(all).then(
        () => all.end(),
        (error) => all.fail(error),
      );
      yield* all.records();
    } finally {
      followings.delete(all);
      all.close();
      signal?.removeEventListener('abort', stop);
    }
  }

  async function add(
    jobs: readonly QueuedJob[],
    isThere: (record: BatchRecord) => boolean | Promise<boolean> = () => true,
  ): Promise<void> {
    await restart(queue, jobs, isThere);
    await queue.addBulk(jobs.map((queued) => ({ name: queueName, data: queued, opts: optionsOf(queued) })));
  }

  return {
    add: (jobs) => add(jobs),
    submit: (jobs, { isThere = () => true, ...options } = {}) =>
      following(options, async (all) => {
        for await (const some of inGroups(jobs, together)) {
          if (options.signal?.aborted) return;
          await add(some, isThere);
          for (const { job } of some) options.onEvent?.({ type: 'submitted', job });
          await all.add(some);
        }
      }),
    follow: (which, options = {}) =>
      following(options, async (all) => {
        if ('job' in which) {
          const held = (await queue.getJob(which.job)) as HeldJob | undefined;
          if (held) await all.add([held.data]);
          return;
        }
        let jobs = 0;
        for await (const { data } of everyJob(queue)) {
          if (data.batch !== which.batch) continue;
          jobs++;
          await all.add([data]);
        }
        options.onEvent?.({ type: 'batch', jobs, kept: 0 });
      }),
    async get(id) {
      const held = (await queue.getJob(id)) as HeldJob | undefined;
      if (held === undefined) return undefined;
      const note = held.progress as Note | number;
      const progress = typeof note === 'object' && !('failed' in note) ? note : undefined;
      return { queued: held.data, progress, record: recordOf(held) };
    },
    async counts() {
      const { wait, ...counts } = await queue.getJobCounts(
        'wait',
        'active',
        'delayed',
        'completed',
        'failed',
      );
      return { waiting: wait, ...counts } as unknown as QueueCounts;
    },
    close() {
      closing ??= closeServer(redis, [events, queue]);
      return closing;
    },
  };
}

/** Starts jobs again that failed, or that are done but whose pictures are gone. */
async function restart(
  queue: Queue<QueuedJob, BatchRecord>,
  jobs: readonly QueuedJob[],
  isThere: (record: BatchRecord) => boolean | Promise<boolean>,
): Promise<void> {
  await Promise.all(
    jobs.map(async ({ job }) => {
      const held = (await queue.getJob(job.id)) as HeldJob | undefined;
      const record = held && recordOf(held);
      if (held === undefined || record === undefined) return;
      if (record.state === 'failed') await retry(held, 'failed');
      else if (!(await isThere(record))) await retry(held, 'completed');
    }),
  );
}

/** Codes of BullMQ's errors: the job is not there, or not in this state any more. */
const goneOn = [-1, -3];

/** Starts a job again, unless someone else has done so since it was looked at. */
async function retry(held: HeldJob, state: 'failed' | 'completed'): Promise<void> {
  try {
    await held.retry(state, { resetAttemptsMade: true });
  } catch (error) {
    if (!goneOn.includes((error as { readonly code?: number }).code ?? 0)) throw error;
  }
}

/** States in the order in which jobs go through them, so that one that goes on meanwhile is found in a later one. */
const states = ['delayed', 'wait', 'active', 'failed', 'completed'] as const;

/**
 * Every job of a queue. Some go back to a state, or move within its list, while the jobs are counted, so they are
 * counted again until no new one is found.
 */
export async function* everyJob(
  queue: Pick<Queue<QueuedJob, BatchRecord>, 'getRanges' | 'getJob'>,
): AsyncGenerator<HeldJob> {
  const seen = new Set<string>();
  let before: number;
  do {
    before = seen.size;
    for (const state of states)
      for (let start = 0; ; start += together) {
        const ids = await queue.getRanges([state], start, start + together - 1);
        const found = ids.filter((id) => !seen.has(id));
        for (const job of await Promise.all(found.map((id) => queue.getJob(id)))) {
          if (job?.id === undefined) continue;
          seen.add(job.id);
          yield job as HeldJob;
        }
        if (ids.length < together) break;
      }
  } while (seen.size > before);
}

async function* inGroups<T>(values: Iterable<T> | AsyncIterable<T>, most: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const value of values) {
    group.push(value);
    if (group.length < most) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
