import { KernelMemory } from './kernel-memory';
import { compileKernels, type KernelExports, type KernelName, kernelNames } from './kernels';
import { canShareMemory, defaultThreads, ThreadPool } from './thread-pool';

/** Arguments of a kernel in the order of its AssemblyScript class: addresses and counts, and floats marked as such. */
export type KernelArguments = readonly (number | { readonly float: number })[];

/** Kernels over a memory of their own, on one thread or several: work is cut into items, and every item gets done. */
export class KernelRunner {
  private readonly args: number;
  /** Scratch memory of each thread. */
  private scratch: number[];
  private scratchBytes = 0;

  private constructor(
    readonly memory: KernelMemory,
    private readonly kernels: KernelExports,
    private readonly pool: ThreadPool | undefined,
    readonly threads: number,
  ) {
    this.args = memory.allocate(128);
    this.scratch = new Array(threads).fill(0);
  }

  /**
   * @param threads how many; one where memory cannot be shared
   * @param relaxed whether a * b + c may be rounded once, which some processors do faster
   */
  static async create(threads: number = defaultThreads(), relaxed = false): Promise<KernelRunner> {
    const shared = threads > 1 && canShareMemory();
    const memory = new KernelMemory(shared);
    const module = await compileKernels({ shared, relaxed });
    const { exports } = await WebAssembly.instantiate(module, { env: { memory: memory.memory } });
    const pool = shared ? await ThreadPool.start(threads, module, memory.memory, kernelNames) : undefined;
    return new KernelRunner(memory, exports as unknown as KernelExports, pool, shared ? threads : 1);
  }

  /** Makes sure that every thread has so much scratch memory. */
  needScratch(bytes: number): void {
    if (bytes <= this.scratchBytes) return;
    for (const address of this.scratch) this.memory.release(address);
    this.scratch = this.scratch.map(() => this.memory.allocate(bytes));
    this.scratchBytes = bytes;
    this.pool?.setScratch(this.scratch);
  }

  /** Runs a kernel for items 0 to `items` - 1 and returns when all are done. */
  run(name: KernelName, args: KernelArguments, items: number): void {
    const integers = this.memory.integers(this.args, args.length);
    const floats = this.memory.floats(this.args, args.length);
    for (const [i, value] of args.entries()) {
      if (typeof value === 'number') integers[i] = value;
      else floats[i] = value.float;
    }
    const kernel = this.kernels[name];
    const own = (item: number) => kernel(this.args, item, this.scratch[0]);
    if (this.pool && items > 1) this.pool.run(name, this.args, items, own);
    else for (let item = 0; item < items; item++) own(item);
  }

  /** A kernel [3][3][k][n] as the filters that `convolve` takes. */
  filters(kernel: Float32Array, k: number, n: number): number {
    const { memory } = this;
    const planes = memory.allocateFloats(36 * k * n);
    const from = memory.put(kernel);
    const temp = memory.allocate(54 * 8);
    this.kernels.transformFilters(from, k, n, planes, temp);
    memory.release(from);
    memory.release(temp);
    return planes;
  }

  /** Ends the threads. */
  dispose(): void {
    this.pool?.dispose();
  }
}
