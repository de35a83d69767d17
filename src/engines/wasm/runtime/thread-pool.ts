import { ComputationError } from '../../../errors';
import type { KernelName } from './kernels';
import { type KernelWorker, type StartWorkerOptions, startWorker } from './start-worker';
import { controlSlots } from './worker-source';

/** The work of a {@link ThreadPool}. */
export interface ThreadPoolWork {
  /** Number of threads including the calling one, at least 2. */
  readonly threads: number;
  readonly module: WebAssembly.Module;
  /** Shared. */
  readonly memory: WebAssembly.Memory;
  readonly names: readonly KernelName[];
}

/** Options of {@link ThreadPool.start}. */
export interface ThreadPoolOptions extends Omit<StartWorkerOptions, 'onLost'> {
  /** Longest time of a run without progress; time in which the program is suspended does not count. @default 20_000 */
  readonly patienceMs?: number | undefined;
  /** Number of the last run. @default 0 */
  readonly generation?: number | undefined;
}

/**
 * Worker threads that run kernels together with the calling thread. Work is divided into items, which threads take from
 * a shared counter; the calling thread takes items too and then waits for the last ones. A run returns when every item
 * is done, or throws.
 */
export class ThreadPool {
  /** The reason why no run is possible any more. */
  private loss: string | undefined;
  private ended = false;

  private constructor(
    /** By the number of their thread. */
    private readonly workers: ReadonlyMap<number, KernelWorker>,
    /** Errors of the workers that did not start. */
    readonly failures: readonly unknown[],
    private readonly control: Int32Array,
    private readonly names: readonly KernelName[],
    private readonly patienceMs: number,
  ) {}

  /**
   * Starts workers and waits until each is ready or has failed.
   *
   * @returns a pool of the workers that have started; `failures` has the errors of the others
   * @throws the signal's reason, when it aborts
   */
  static async start(work: ThreadPoolWork, options: ThreadPoolOptions = {}): Promise<ThreadPool> {
    const { threads, module, memory, names } = work;
    const { patienceMs = 20_000, generation = 0, signal } = options;
    const control = new Int32Array(new SharedArrayBuffer(4 * (controlSlots.scratch + threads)));
    control[controlSlots.generation] = generation;
    const workers = new Map<number, KernelWorker>();
    const failures: unknown[] = [];
    const pool = new ThreadPool(workers, failures, control, names, patienceMs);
    const onLost = (why: string): void => {
      if (!pool.ended) pool.loss ??= why;
    };
    const start = async (thread: number): Promise<void> => {
      try {
        const about = {
          module,
          memory,
          control,
          names,
          thread,
          generation: control[controlSlots.generation],
        };
        workers.set(thread, await startWorker(about, { ...options, onLost }));
      } catch (error) {
        failures.push(error);
      }
    };
    await Promise.all(Array.from({ length: threads - 1 }, (_, i) => start(i + 1)));
    if (signal?.aborted) {
      pool.dispose();
      throw signal.reason;
    }
    return pool;
  }

  /** Threads that work, the calling one included. */
  get threads(): number {
    return this.workers.size + 1;
  }

  /** Sets the addresses of the threads' scratch memory. @param addresses one for each of {@link threads} */
  setScratch(addresses: readonly number[]): void {
    const threads = [0, ...this.workers.keys()];
    for (const [i, address] of addresses.entries()) this.control[controlSlots.scratch + threads[i]] = address;
  }

  /**
   * Runs items 0 to `items` - 1 of a kernel, of which `own` does those that this thread takes.
   *
   * @throws ComputationError `WORKER_LOST` if a kernel traps, or if a worker ends or makes no progress; after the
   * latter at once when asked again
   */
  run(name: KernelName, args: number, items: number, own: (item: number) => void): void {
    if (this.loss !== undefined) throw lost(this.loss);
    const { control } = this;
    control[controlSlots.kernel] = this.names.indexOf(name);
    control[controlSlots.args] = args;
    control[controlSlots.items] = items;
    Atomics.store(control, controlSlots.next, 0);
    Atomics.store(control, controlSlots.done, 0);
    Atomics.store(control, controlSlots.failed, 0);
    Atomics.add(control, controlSlots.generation, 1);
    Atomics.notify(control, controlSlots.generation);
    let cause: unknown;
    try {
      for (let item = this.take(); item < items; item = this.take()) own(item);
    } catch (error) {
      cause = error;
      Atomics.add(control, controlSlots.failed, 1);
    }
    this.loss ??= this.join(name);
    if (this.loss !== undefined) throw lost(this.loss);
    // Every thread has returned, so the pool stays usable.
    if (control[controlSlots.failed] > 0) throw lost(`crashed in kernel ${name}`, cause);
  }

  /** Ends the workers. Safe to call twice. */
  dispose(): void {
    if (this.ended) return;
    this.ended = true;
    this.loss ??= 'was ended by dispose()';
    this.control[controlSlots.kernel] = -1;
    Atomics.add(this.control, controlSlots.generation, 1);
    Atomics.notify(this.control, controlSlots.generation);
    for (const worker of this.workers.values()) worker.end();
  }

  private take(): number {
    return Atomics.add(this.control, controlSlots.next, 1);
  }

  /**
   * Waits for workers in the middle of an item; on a page's main thread, which may not sleep, by polling.
   *
   * Suspensions do not count: a slice of waiting counts as `sliceMs` at most, so that a suspension of the whole
   * program (Ctrl-Z, a debugger, a laptop that sleeps) is one slice, and any progress resets the time.
   *
   * @returns the reason to give up waiting; undefined if all workers have returned
   */
  private join(name: KernelName): string | undefined {
    const { control, workers, patienceMs } = this;
    const done = () => Atomics.load(control, controlSlots.done);
    for (let looks = 0; looks < 20_000 && done() < workers.size; looks++);
    let waitedMs = 0;
    let seen = -1;
    let last = performance.now();
    while (done() < workers.size && waitedMs <= patienceMs) {
      if (maySleep) Atomics.wait(control, controlSlots.done, done(), sliceMs);
      const now = performance.now();
      waitedMs += Math.min(now - last, sliceMs);
      last = now;
      const progress = done() + Atomics.load(control, controlSlots.next);
      if (progress !== seen) [seen, waitedMs] = [progress, 0];
    }
    if (done() === workers.size) return undefined;
    return `did not come back within ${patienceMs / 1000} seconds from kernel ${name}`;
  }
}

/** Interval in which the calling thread checks for progress. */
const sliceMs = 5;

/** The main thread of a page may not sleep. */
const maySleep = typeof document === 'undefined';

/** The error of a run whose result is void. @param why the failure, as a predicate of 'A thread', for the message */
export function lost(why: string, cause?: unknown): ComputationError {
  const accepted = 'threads: 1';
  return new ComputationError(
    'WORKER_LOST',
    `A thread ${why}; the result is void. Load the network again, or with ${accepted}.`,
    { option: 'threads', value: why, accepted, cause },
  );
}
