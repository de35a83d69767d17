import { machineMemory } from '../../node/platform';
import { sharedInMemory } from '../../transfer/style-targets';
import type { JobStepEvent, JobWarningEvent } from '../painter';
import type { SharedNumbers } from '../shared-weights';
import { workerBytes } from './pool-size';
import { PooledWorker, type WorkerListener } from './pooled-worker';
import { Room } from './room';
import { type StartOptions, startPoolWorker } from './start-pool-worker';

/** Options of {@link PoolThreads}. */
export interface PoolThreadsOptions extends Pick<StartOptions, 'execArgv' | 'program'> {
  /** Bytes that the whole program may take. @default the machine's */
  readonly memory?: number | undefined;
}

/**
 * The worker threads of this process: what they share is the memory, the network's weights, and the targets of styles.
 */
export class PoolThreads {
  /** Bytes that the whole program may take. */
  readonly memory: number;
  private readonly shared = sharedInMemory<SharedNumbers>();
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
      onNeedsShared: (worker, key) => void this.share(worker, key),
    };
    return new PooledWorker(
      await startPoolWorker({ memory }, { signal, execArgv: options.execArgv, program: options.program }),
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

  /** Gives a worker what it asks for, once one of those that ask has computed it. */
  private async share(worker: PooledWorker, key: string): Promise<void> {
    let computes = false;
    const compute = () => {
      computes = true;
      return worker.computeShared(key);
    };
    while (!worker.lost) {
      try {
        const numbers = await this.shared.get(key, compute);
        if (!computes) worker.giveShared(key, numbers);
        return;
      } catch {
        // The worker's own failure ends its job; after another's, this one may compute.
        if (computes) return;
      }
    }
  }
}
