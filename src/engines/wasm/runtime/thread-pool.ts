import { ComputationError } from '../../../errors';
import type { KernelName } from './kernels';
import { nodeModule } from './node-module';
import { physicalCores } from './physical-cores';
import { controlSlots, workerSource } from './worker-source';

/** What workers get to begin with. */
interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly names: readonly KernelName[];
  readonly thread: number;
}

/** A worker of Node or of a page. */
interface AnyWorker {
  terminate(): unknown;
}

/** The most threads that are started unless more are asked for: beyond, memory is what everybody waits for. */
const mostThreads = 8;
/** How long the last item of a run may take; a worker that takes longer is lost. */
const defaultPatienceMs = 20_000;

/** How many threads the kernels run on where nobody says: as many as there are cores, at most 8, where threads can share memory; else 1. */
export function defaultThreads(): number {
  return canShareMemory() ? Math.min(mostThreads, physicalCores()) : 1;
}

/** Node can; pages can if they are cross-origin isolated (headers COOP and COEP). */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined' || typeof Atomics === 'undefined') return false;
  return nodeModule('node:worker_threads') !== undefined || globalThis.crossOriginIsolated === true;
}

/**
 * Worker threads that run kernels together with the thread that asks. Work is cut into items, which threads take from a shared counter; the
 * asking thread takes items too, and then waits for the last ones.
 */
export class ThreadPool {
  private constructor(
    private readonly workers: readonly AnyWorker[],
    private readonly control: Int32Array,
    private readonly names: readonly KernelName[],
    private readonly patienceMs: number,
  ) {}

  /** Starts `threads` - 1 workers and waits until they are ready. @param patienceMs how long the last item of a run may take */
  static async start(
    threads: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    names: readonly KernelName[],
    patienceMs = defaultPatienceMs,
  ): Promise<ThreadPool> {
    const control = new Int32Array(new SharedArrayBuffer(4 * (controlSlots.scratch + threads)));
    const starts = Array.from({ length: threads - 1 }, (_, i) =>
      startWorker({ module, memory, control, names, thread: i + 1 }),
    );
    return new ThreadPool(await Promise.all(starts), control, names, patienceMs);
  }

  /** Tells workers where their scratch memory is. */
  setScratch(addresses: readonly number[]): void {
    for (const [thread, address] of addresses.entries())
      this.control[controlSlots.scratch + thread] = address;
  }

  /** Runs items 0 to `items` - 1 of a kernel, of which `own` does those that this thread takes. */
  run(name: KernelName, args: number, items: number, own: (item: number) => void): void {
    const { control } = this;
    control[controlSlots.kernel] = this.names.indexOf(name);
    control[controlSlots.args] = args;
    control[controlSlots.items] = items;
    Atomics.store(control, controlSlots.next, 0);
    Atomics.store(control, controlSlots.done, 0);
    Atomics.store(control, controlSlots.failed, 0);
    Atomics.add(control, controlSlots.generation, 1);
    Atomics.notify(control, controlSlots.generation);
    try {
      for (let item = this.take(); item < items; item = this.take()) own(item);
    } catch {
      Atomics.add(control, controlSlots.failed, 1);
    }
    this.join(name);
  }

  /** Ends the workers. */
  dispose(): void {
    this.control[controlSlots.kernel] = -1;
    Atomics.add(this.control, controlSlots.generation, 1);
    Atomics.notify(this.control, controlSlots.generation);
    for (const worker of this.workers) worker.terminate();
  }

  private take(): number {
    return Atomics.add(this.control, controlSlots.next, 1);
  }

  /** Waits for workers in the middle of an item; on a page's main thread, which may not sleep, by looking. */
  private join(name: KernelName): void {
    const { control, workers, patienceMs } = this;
    const deadline = performance.now() + patienceMs;
    for (let looks = 0; ; looks++) {
      const done = Atomics.load(control, controlSlots.done);
      if (done === workers.length) break;
      if (looks < 20_000) continue;
      if (maySleep) Atomics.wait(control, controlSlots.done, done, 5);
      if (performance.now() > deadline)
        throw lost(name, `did not come back within ${patienceMs / 1000} seconds`);
    }
    if (control[controlSlots.failed] > 0) throw lost(name, 'crashed');
  }
}

function lost(name: KernelName, what: string): ComputationError {
  const accepted = 'threads: 1';
  return new ComputationError(
    'WORKER_LOST',
    `A thread ${what} in kernel ${name}; the result is void. Load the network again, or with ${accepted}.`,
    {
      option: 'threads',
      value: name,
      accepted,
    },
  );
}

const maySleep = typeof document === 'undefined';

async function startWorker(start: WorkerStart): Promise<AnyWorker> {
  const threads = nodeModule('node:worker_threads');
  if (threads) {
    // Without the program's own flags, of which --input-type=module would make a module of it.
    const worker = new threads.Worker(workerSource, { eval: true, execArgv: [] });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
      worker.postMessage(start);
    });
    // A worker that waits for work must not keep the program from ending.
    worker.unref();
    return worker;
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }));
  try {
    const worker = new Worker(url);
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = ({ message }) =>
        reject(new ComputationError('WORKER_LOST', `A worker did not start: ${message}`));
      worker.postMessage(start);
    });
    return worker;
  } finally {
    URL.revokeObjectURL(url);
  }
}
