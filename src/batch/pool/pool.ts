import { physicalCores } from '../../engines/wasm/runtime/physical-cores';
import { EnvironmentError, WeightsError } from '../../errors';
import type { BatchRecord, Job } from '../job';
import { failedRecord } from '../job-record';
import type { BatchProgress, Painter } from '../painter';
import { type PoolSize, poolSize } from './pool-size';
import { PoolThreads, type PoolThreadsOptions } from './pool-threads';
import type { PooledWorker } from './pooled-worker';
import { Stream } from './stream';

/** Options of {@link pool}. */
export interface PoolOptions extends PoolThreadsOptions {
  /** Pictures at once. @default as many as cores and memory suffice for */
  readonly workers?: number | undefined;
  /** Threads of each picture. @default the cores that there are for each */
  readonly threads?: number | undefined;
}

/**
 * Paints jobs in worker threads of this process. Each keeps its network from job to job; the targets of a style are
 * computed by one of them for all.
 */
export function pool(options: PoolOptions = {}): Painter {
  return {
    paint(jobs, { signal, onProgress = () => {} }) {
      return new PoolRun(options, jobs, onProgress, signal).records();
    },
  };
}

/** One run of a pool. */
class PoolRun {
  private readonly stop = new AbortController();
  private readonly done = new Stream<BatchRecord>();
  private readonly waiting: Job[];
  private readonly threads: PoolThreads;

  constructor(
    private readonly options: PoolOptions,
    jobs: readonly Job[],
    private readonly onProgress: (event: BatchProgress) => void,
    private readonly outer: AbortSignal | undefined,
  ) {
    this.waiting = [...jobs];
    this.threads = new PoolThreads(options);
  }

  async *records(): AsyncGenerator<BatchRecord> {
    const { outer, stop, done } = this;
    const forward = () => stop.abort(outer?.reason);
    if (outer?.aborted) forward();
    else outer?.addEventListener('abort', forward);
    const work = this.work().then(
      () => done.end(),
      (error) => done.fail(error),
    );
    try {
      yield* done;
    } finally {
      outer?.removeEventListener('abort', forward);
      stop.abort();
      await work;
    }
  }

  /** Paints all jobs. When a worker fails for a reason that is no job's, all others end too. */
  private async work(): Promise<void> {
    const { waiting, stop } = this;
    if (waiting.length === 0) return;
    const first = await this.start();
    try {
      const size = await this.size(first);
      const lanes = Array.from({ length: size.workers }, (_, i) =>
        this.lane(size, i === 0 ? first : undefined),
      );
      const ends = lanes.map((lane) =>
        lane.catch((error: unknown) => {
          stop.abort(error);
          throw error;
        }),
      );
      await Promise.allSettled(ends);
      await Promise.all(ends);
    } finally {
      await first.end();
    }
  }

  /**
   * The size of the pool by the memory that a job takes: the first of those that can be planned. The worker loads the
   * network for that.
   */
  private async size(worker: PooledWorker): Promise<PoolSize> {
    const { waiting, options, stop } = this;
    const { memory } = this.threads;
    const needs = { ...options, jobs: waiting.length, cores: physicalCores(), memory };
    const bytes = await this.plan(worker, poolSize(needs).threads);
    const size = poolSize({ ...needs, bytes });
    stop.signal.throwIfAborted();
    this.onProgress({ type: 'pool', ...size, bytes });
    return size;
  }

  private async plan(worker: PooledWorker, threads: number): Promise<number | undefined> {
    /** Errors that come with every picture of the same network. */
    const failed = new Map<string, unknown>();
    for (const job of this.waiting) {
      if (failed.has(networkOf(job))) continue;
      try {
        return await worker.plan(job, threads, this.stop.signal);
      } catch (error) {
        this.stop.signal.throwIfAborted();
        if (worker.lost) throw error;
        if (concernsAll(error)) failed.set(networkOf(job), error);
        // Else the job itself tells what is wrong with it, when its turn comes.
      }
    }
    if (this.waiting.every((job) => failed.has(networkOf(job)))) throw failed.values().next().value;
    return undefined;
  }

  /** One worker after the other, each until it is lost, paints what is waiting. */
  private async lane({ threads }: PoolSize, first: PooledWorker | undefined): Promise<void> {
    const { signal } = this.stop;
    let worker = first;
    try {
      for (let job = this.waiting.shift(); job; job = this.waiting.shift()) {
        signal.throwIfAborted();
        worker ??= await this.start();
        const begun = performance.now();
        try {
          this.done.push(await worker.paint(job, threads, signal));
          this.threads.release(worker);
        } catch (error) {
          signal.throwIfAborted();
          if (!worker.lost) throw error;
          this.done.push(failedRecord(job, error, { begun }));
          await this.threads.end(worker);
          worker = undefined;
        }
      }
    } finally {
      await worker?.end();
    }
  }

  private start(): Promise<PooledWorker> {
    const { signal } = this.stop;
    return this.threads.start(signal, (event) => {
      try {
        this.onProgress(event);
      } catch (error) {
        this.stop.abort(error);
      }
    });
  }
}

/** What the network of a job depends on, and where it runs. */
const networkOf = ({ settings: { weights, backend, engine, preset, settings } }: Job): string =>
  JSON.stringify([weights, backend, engine, preset, settings]);

/** Whether an error is none of a picture: it would come with every one of the same network. */
function concernsAll(error: unknown): boolean {
  if (error instanceof WeightsError) return true;
  return error instanceof EnvironmentError && !['OUT_OF_MEMORY', 'NOT_TILEABLE'].includes(error.code);
}
