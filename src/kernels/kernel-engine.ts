import { KernelMemory } from './kernel-memory';
import { instantiateKernels, type KernelExports, type KernelName } from './kernels';

/** Arguments of a kernel in the order of its AssemblyScript class: addresses and counts, and floats marked as such. */
export type KernelArguments = readonly (number | { readonly float: number })[];

/** Kernels over a memory of their own: work is cut into items, and every item gets done. */
export class KernelEngine {
  private readonly args: number;
  private scratch: number;
  private scratchBytes = 0;

  private constructor(
    readonly memory: KernelMemory,
    private readonly kernels: KernelExports,
  ) {
    this.args = memory.allocate(128);
    this.scratch = 0;
  }

  static async create(): Promise<KernelEngine> {
    const memory = new KernelMemory();
    return new KernelEngine(memory, await instantiateKernels(memory.memory));
  }

  /** Makes sure that kernels have so much scratch memory each. */
  needScratch(bytes: number): void {
    if (bytes <= this.scratchBytes) return;
    this.memory.release(this.scratch);
    this.scratch = this.memory.allocate(bytes);
    this.scratchBytes = bytes;
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
    for (let item = 0; item < items; item++) kernel(this.args, item, this.scratch);
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
}
