import { physicalCores } from '../../engines/wasm/runtime/physical-cores';
import type { BatchRecord, Job } from '../job';
import type { JobStepEvent, JobWarningEvent } from '../painter';
import type { PoolOptions } from './pool';
import { type PoolSize, poolSize } from './pool-size';
import { PoolThreads } from './pool-threads';
import type { PooledWorker } from './pooled-worker';

/** Options of {@link JobThreads.paint}. */
export interface PaintInThreadOptions {
  /** Ends the job. */
  readonly signal: AbortSignal;
  readonly onProgress: (event: JobStepEvent | JobWarningEvent) => void;
}

/** Worker threads for jobs that come one by one, each of whose threads stays, with its network, for the next job. */
export class JobThreads {
  /** Jobs that are to be painted at once, and threads of each. */
  readonly size: PoolSize;
  private readonly threads: PoolThreads;
  private readonly idle: PooledWorker[] = [];
  private readonly all = new Set<PooledWorker>();
  private readonly listeners = new Map<PooledWorker, PaintInThreadOptions['onProgress']>();

  constructor(options: PoolOptions) {
    this.threads = new PoolThreads(options);
    const { memory } = this.threads;
    this.size = poolSize({ ...options, jobs: Number.POSITIVE_INFINITY, cores: physicalCores(), memory });
  }

  /**
   * Paints a job in a thread that is idle, or in a new one.
   *
   * @throws ComputationError `WORKER_LOST` if the thread ends, and any error that is not the job's; the signal's reason
   */
  async paint(job: Job, { signal, onProgress }: PaintInThreadOptions): Promise<BatchRecord> {
    const worker = this.idle.pop() ?? (await this.start(signal));
    this.listeners.set(worker, onProgress);
    try {
      return await worker.paint(job, this.size.threads, signal);
    } finally {
      this.listeners.delete(worker);
      this.threads.release(worker);
      if (worker.lost) await this.end(worker);
      else this.idle.push(worker);
    }
  }

  /** Starts a thread in advance, so that the first job finds it. */
  async warm(signal: AbortSignal): Promise<void> {
    this.idle.push(await this.start(signal));
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    await Promise.all([...this.all].map((worker) => this.end(worker)));
  }

  private async start(signal: AbortSignal): Promise<PooledWorker> {
    const worker = await this.threads.start(signal, (event) => this.listeners.get(worker)?.(event));
    this.all.add(worker);
    return worker;
  }

  private async end(worker: PooledWorker): Promise<void> {
    this.all.delete(worker);
    await this.threads.end(worker);
  }
}
