import { ComputationError } from '../../../errors';
import type { KernelName } from './kernels';
import { type KernelWorker, type StartWorkerOptions, startWorker } from './start-worker';
import { controlSlots } from './worker-source';

/** What a {@link ThreadPool} works on. */
export interface ThreadPoolWork {
  /** How many threads, the calling one included: at least 2. */
  readonly threads: number;
  readonly module: WebAssembly.Module;
  /** Shared. */
  readonly memory: WebAssembly.Memory;
  readonly names: readonly KernelName[];
}

/** Options of {@link ThreadPool.start}. */
export interface ThreadPoolOptions extends Omit<StartWorkerOptions, 'onLost'> {
  /** How long a run may go on without any progress, in time that was seen to pass. @default 20_000 */
  readonly patienceMs?: number | undefined;
  /** Number of the last run. @default 0 */
  readonly generation?: number | undefined;
}

/**
 * Worker threads that run kernels together with the thread that asks. Work is cut into items, which threads take from a
 * shared counter; the asking thread takes items too, and then waits for the last ones. It sees every item done or
 * throws.
 */
export class ThreadPool {
  /** Why no run is possible any more. */
  private loss: string | undefined;
  private ended = false;

  private constructor(
    /** By the number of their thread. */
    private readonly workers: ReadonlyMap<number, KernelWorker>,
    /** Why others did not start. */
    readonly failures: readonly unknown[],
    private readonly control: Int32Array,
    private readonly names: readonly KernelName[],
    private readonly patienceMs: number,
  ) {}

  /**
   * Starts workers and waits until each is ready or has failed.
   *
   * @returns a pool of the workers that have started; `failures` says why others have not
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

  /** Tells threads where their scratch memory is. @param addresses one for each of {@link threads} */
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
    // Every thread has come back, so that the next run is as good as any.
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
   * Waits for workers in the middle of an item; on a page's main thread, which may not sleep, by looking.
   *
   * Only time that was seen to pass counts: a slice counts as `sliceMs` at most, so that a suspension of the whole
   * program (Ctrl-Z, a debugger, a laptop that sleeps) is one slice, and any progress starts anew.
   *
   * @returns why no worker will ever come back, undefined when all have
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

/** How long the asking thread sleeps before it looks again. */
const sliceMs = 5;

/** A page's main thread may not. */
const maySleep = typeof document === 'undefined';

/** The error of a run whose result is void. @param why what a thread did, for the message */
export function lost(why: string, cause?: unknown): ComputationError {
  const accepted = 'threads: 1';
  return new ComputationError(
    'WORKER_LOST',
    `A thread ${why}; the result is void. Load the network again, or with ${accepted}.`,
    { option: 'threads', value: why, accepted, cause },
  );
}
