import type { KernelMemory } from './runtime/kernel-memory';

/** Blocks of an engine's memory that are released together. */
export class Blocks {
  private addresses: number[] = [];

  constructor(private readonly memory: KernelMemory) {}

  /** Room for `bytes` bytes, not cleared. */
  allocate(bytes: number): number {
    const address = this.memory.allocate(bytes);
    this.addresses.push(address);
    return address;
  }

  /** Room for `length` floats, not cleared. */
  allocateFloats(length: number): number {
    return this.allocate(4 * length);
  }

  /** A block initialised with these numbers. */
  put(values: Float32Array): number {
    const address = this.allocateFloats(values.length);
    this.memory.floats(address, values.length).set(values);
    return address;
  }

  /** Owns a block that was allocated elsewhere. */
  adopt(address: number): number {
    this.addresses.push(address);
    return address;
  }

  /** Releases every block. Safe to call twice. */
  dispose(): void {
    for (const address of this.addresses.splice(0)) this.memory.release(address);
  }
}

/** Runs `work` with blocks of memory that are released when it ends, however it ends. */
export function withBlocks<T>(memory: KernelMemory, work: (blocks: Blocks) => T): T {
  const blocks = new Blocks(memory);
  try {
    return work(blocks);
  } finally {
    blocks.dispose();
  }
}
