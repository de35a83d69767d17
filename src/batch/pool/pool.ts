import { physicalCores } from '../../engines/wasm/runtime/physical-cores';
import { EnvironmentError, WeightsError } from '../../errors';
import { machineMemory } from '../../node/platform';
import { targetsInMemory } from '../../transfer/style-targets';
import type { BatchRecord, Job } from '../job';
import { failedRecord } from '../job-record';
import type { BatchProgress, Painter } from '../painter';
import { type PoolSize, poolSize, workerBytes } from './pool-size';
import { PooledWorker, type WorkerListener } from './pooled-worker';
import { Room } from './room';
import { type StartOptions, startPoolWorker } from './start-pool-worker';
import { Stream } from './stream';

/** Options of {@link pool}. */
export interface PoolOptions extends Pick<StartOptions, 'execArgv'> {
  /** Pictures at once. @default as many as cores and memory suffice for */
  readonly workers?: number | undefined;
  /** Threads of each picture. @default the cores that there are for each */
  readonly threads?: number | undefined;
  /** Bytes that the whole program may take. @default the machine's */
  readonly memory?: number | undefined;
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
  private readonly targets = targetsInMemory();
  private readonly room: Room<PooledWorker>;
  private readonly memory: number;

  constructor(
    private readonly options: PoolOptions,
    jobs: readonly Job[],
    private readonly onProgress: (event: BatchProgress) => void,
    private readonly outer: AbortSignal | undefined,
  ) {
    this.waiting = [...jobs];
    this.memory = options.memory ?? machineMemory();
    this.room = new Room(this.memory - workerBytes);
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
    const { waiting, options, memory, stop } = this;
    const needs = { ...options, jobs: waiting.length, cores: physicalCores(), memory };
    const bytes = await this.plan(worker, poolSize(needs).threads);
    const size = poolSize({ ...needs, bytes });
    stop.signal.throwIfAborted();
    this.onProgress({ type: 'pool', ...size, bytes });
    return size;
  }

  private async plan(worker: PooledWorker, threads: number): Promise<number | undefined> {
    for (const job of this.waiting) {
      try {
        return await worker.plan(job, threads, this.stop.signal);
      } catch (error) {
        this.stop.signal.throwIfAborted();
        if (worker.lost || concernsAll(error)) throw error;
        // The job itself tells what is wrong with it, when its turn comes.
      }
    }
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
          this.room.release(worker);
        } catch (error) {
          signal.throwIfAborted();
          if (!worker.lost) throw error;
          this.done.push(failedRecord(job, error, { begun }));
          this.room.forget(worker);
          await worker.end();
          worker = undefined;
        }
      }
    } finally {
      await worker?.end();
    }
  }

  private async start(): Promise<PooledWorker> {
    const { signal } = this.stop;
    const { memory, options } = this;
    const worker = await startPoolWorker({ memory }, { signal, execArgv: options.execArgv });
    return new PooledWorker(worker, this.listener);
  }

  private readonly listener: WorkerListener = {
    onProgress: (event) => {
      try {
        this.onProgress(event);
      } catch (error) {
        this.stop.abort(error);
      }
    },
    onNeedsRoom: (worker, bytes) => {
      void this.room.take(worker, bytes + workerBytes).then(() => worker.giveRoom());
    },
    onNeedsTargets: (worker, key) => void this.shareTargets(worker, key),
  };

  /** Gives a worker the targets of a style, once one of those that ask has computed them. */
  private async shareTargets(worker: PooledWorker, key: string): Promise<void> {
    let computes = false;
    const compute = () => {
      computes = true;
      return worker.computeTargets(key);
    };
    while (!worker.lost) {
      try {
        const numbers = await this.targets.get(key, compute);
        if (!computes) worker.giveTargets(key, numbers);
        return;
      } catch {
        // The worker's own failure ends its job; after another's, this one may compute.
        if (computes) return;
      }
    }
  }
}

/** Whether an error is none of a picture: it would come with every one. */
function concernsAll(error: unknown): boolean {
  if (error instanceof WeightsError) return true;
  return error instanceof EnvironmentError && !['OUT_OF_MEMORY', 'NOT_TILEABLE'].includes(error.code);
}
