import { EnvironmentError } from '../../../errors';
import { owning } from '../../../owning';
import type { EngineLoadOptions } from '../../engine';
import { KernelMemory } from './kernel-memory';
import { compileKernels, type KernelExports, type KernelName, kernelNames } from './kernels';
import { unavailable } from './start-worker';
import { canShareMemory, defaultThreads } from './thread-count';
import { lost, ThreadPool } from './thread-pool';

/** Arguments of a kernel in the order of its AssemblyScript class: addresses and counts, and floats marked as such. */
export type KernelArguments = readonly (number | { readonly float: number })[];

/** Options of {@link KernelRunner.create}. */
export interface KernelRunnerOptions extends EngineLoadOptions {
  /** Threads that compute; all of them or an error. @default one a core, at most 8, or as many of these as start */
  readonly threads?: number | undefined;
  /** Whether a * b + c may be rounded once, which is faster on some processors. @default false */
  readonly relaxedSimd?: boolean | undefined;
  /** Name of the object whose disposal ends the runner, for messages. @default 'The extractor' */
  readonly owner?: string | undefined;
}

/**
 * Kernels over a memory of their own, on one thread or several: work is divided into items, all of which are done when
 * a call returns.
 */
export class KernelRunner {
  private readonly args: number;
  /** Scratch memory of each thread. */
  private scratch: readonly number[];
  private scratchBytes = 0;

  private constructor(
    readonly memory: KernelMemory,
    private readonly kernels: KernelExports,
    private readonly pool: ThreadPool | undefined,
  ) {
    this.args = memory.allocate(128);
    this.scratch = new Array(this.threads).fill(0);
  }

  /**
   * Starts the kernels.
   *
   * @throws EnvironmentError `THREADS_UNAVAILABLE` if `threads` is given and they do not all start, `OUT_OF_MEMORY` or
   * `NO_WASM` if the kernels do not start at all; the signal's reason if it aborts
   */
  static async create(options: KernelRunnerOptions = {}): Promise<KernelRunner> {
    const threads = options.threads ?? defaultThreads();
    if (threads === 1) return KernelRunner.start(1, options);
    try {
      if (!canShareMemory())
        throw unavailable('cannot share memory here, which takes a cross-origin isolated page (COOP, COEP)');
      return await KernelRunner.start(threads, options);
    } catch (error) {
      const chosen = options.threads !== undefined;
      if (chosen || !(error instanceof EnvironmentError)) throw error;
      const runner = await KernelRunner.start(1, options);
      return owning(({ result }) => {
        result(runner);
        // Only now: where WebAssembly does not compile, one thread does not compute either.
        options.onWarning?.({
          code: 'THREADS_UNAVAILABLE',
          message: `One thread computes instead of ${threads}. ${error.message}`,
        });
        return runner;
      });
    }
  }

  /** Threads that compute. */
  get threads(): number {
    return this.pool?.threads ?? 1;
  }

  /** Gives every thread at least `bytes` of scratch memory. */
  needScratch(bytes: number): void {
    if (bytes <= this.scratchBytes) return;
    const { memory } = this;
    for (const address of this.scratch) memory.release(address);
    this.scratchBytes = 0;
    this.scratch = owning(({ result }) =>
      this.scratch.map(() => {
        const address = memory.allocate(bytes);
        result(() => memory.release(address));
        return address;
      }),
    );
    this.scratchBytes = bytes;
    this.pool?.setScratch(this.scratch);
  }

  /**
   * Runs a kernel for items 0 to `items` - 1 and returns when all are done.
   *
   * @throws ComputationError `WORKER_LOST` if a thread crashes or is gone, `DISPOSED` after `dispose()`
   */
  run(name: KernelName, args: KernelArguments, items: number): void {
    const integers = this.memory.integers(this.args, args.length);
    const floats = this.memory.floats(this.args, args.length);
    for (const [i, value] of args.entries()) {
      if (typeof value === 'number') integers[i] = value;
      else floats[i] = value.float;
    }
    const kernel = this.kernels[name];
    const own = (item: number) => kernel(this.args, item, this.scratch[0]);
    if (this.pool && items > 1) {
      this.pool.run(name, this.args, items, own);
      return;
    }
    try {
      for (let item = 0; item < items; item++) own(item);
    } catch (cause) {
      throw lost(`crashed in kernel ${name}`, cause);
    }
  }

  /** A kernel [3][3][k][n] as the filters that `convolve` takes. @returns their address, which belongs to the caller */
  filters(kernel: Float32Array, k: number, n: number): number {
    const { memory } = this;
    return owning(({ temporary, result }) => {
      const planes = memory.allocateFloats(36 * k * n);
      result(() => memory.release(planes));
      const from = memory.put(kernel);
      temporary(() => memory.release(from));
      const temp = memory.allocate(54 * 8);
      temporary(() => memory.release(temp));
      this.kernels.transformFilters(from, k, n, planes, temp);
      return planes;
    });
  }

  /** Ends the threads, and the use of the memory. Safe to call twice. */
  dispose(): void {
    this.memory.dispose();
    this.pool?.dispose();
  }

  private static async start(threads: number, options: KernelRunnerOptions): Promise<KernelRunner> {
    const { relaxedSimd: relaxed, signal, onWarning, owner = 'The extractor' } = options;
    const shared = threads > 1;
    const memory = new KernelMemory(shared, owner);
    const module = await compileKernels({ shared, relaxed });
    const { exports } = await WebAssembly.instantiate(module, { env: { memory: memory.memory } });
    signal?.throwIfAborted();
    const kernels = exports as unknown as KernelExports;
    if (!shared) return new KernelRunner(memory, kernels, undefined);
    const work = { threads, module, memory: memory.memory, names: kernelNames };
    const pool = await ThreadPool.start(work, { signal });
    const [failure] = pool.failures;
    if (failure === undefined) return new KernelRunner(memory, kernels, pool);
    if (options.threads !== undefined || pool.threads === 1) {
      pool.dispose();
      throw failure;
    }
    return owning(({ result }) => {
      result(pool);
      onWarning?.({
        code: 'THREADS_UNAVAILABLE',
        message: `${pool.threads} threads compute instead of ${threads}. ${(failure as Error).message}`,
      });
      return new KernelRunner(memory, kernels, pool);
    });
  }
}
