import { machineMemory } from '../../node/platform';
import { targetsInMemory } from '../../transfer/style-targets';
import type { JobStepEvent, JobWarningEvent } from '../painter';
import { workerBytes } from './pool-size';
import { PooledWorker, type WorkerListener } from './pooled-worker';
import { Room } from './room';
import { type StartOptions, startPoolWorker } from './start-pool-worker';

/** Options of {@link PoolThreads}. */
export interface PoolThreadsOptions extends Pick<StartOptions, 'execArgv'> {
  /** Bytes that the whole program may take. @default the machine's */
  readonly memory?: number | undefined;
}

/** The worker threads of this process: what they share is the memory, and the targets of styles. */
export class PoolThreads {
  /** Bytes that the whole program may take. */
  readonly memory: number;
  private readonly targets = targetsInMemory();
  private readonly room: Room<PooledWorker>;

  constructor(private readonly options: PoolThreadsOptions) {
    this.memory = options.memory ?? machineMemory();
    this.room = new Room(this.memory - workerBytes);
  }

  /** Starts a thread. @throws EnvironmentError `WORKER_UNAVAILABLE` if it does not start; the signal's reason */
  async start(
    signal: AbortSignal,
    onProgress: (event: JobStepEvent | JobWarningEvent) => void,
  ): Promise<PooledWorker> {
    const { memory, options } = this;
    const listener: WorkerListener = {
      onProgress,
      onNeedsRoom: (worker, bytes) => {
        void this.room.take(worker, bytes + workerBytes).then(() => worker.giveRoom());
      },
      onNeedsTargets: (worker, key) => void this.shareTargets(worker, key),
    };
    return new PooledWorker(
      await startPoolWorker({ memory }, { signal, execArgv: options.execArgv }),
      listener,
    );
  }

  /** A thread has ended its job: others may have the memory. */
  release(worker: PooledWorker): void {
    this.room.release(worker);
  }

  /** Ends a thread, and gives all that it held to others. */
  async end(worker: PooledWorker): Promise<void> {
    this.room.forget(worker);
    await worker.end();
  }

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
