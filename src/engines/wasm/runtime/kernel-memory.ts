import { EnvironmentError } from '../../../errors';
import { Lifetime } from '../../../owning';

/** A wasm page, and the reach of 32-bit addresses less one page, so that every end address is representable. */
const pageBytes = 65536;
const maxBytes = 65535 * pageBytes;
/** A cache line. */
const alignment = 64;

/**
 * Memory of the kernels with its allocator. Addresses are bytes; views are valid until the next allocation, which may
 * move the buffer. After `dispose()` every use but `release` throws `DISPOSED`.
 */
export class KernelMemory {
  readonly memory: WebAssembly.Memory;
  private readonly lifetime: Lifetime;
  /**
   * Blocks in use by their address, and free ones in order of address. The first cache line stays free: address 0 means
   * none.
   */
  private readonly used = new Map<number, number>();
  private free: { address: number; bytes: number }[] = [{ address: alignment, bytes: maxBytes - alignment }];

  /**
   * @param shared whether threads will work in it
   * @param owner whose disposal ends it, for messages
   * @throws EnvironmentError `OUT_OF_MEMORY` if the machine reserves none
   */
  constructor(shared: boolean, owner: string) {
    this.lifetime = new Lifetime(owner);
    try {
      this.memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared });
    } catch (cause) {
      const accepted = 'a machine, or a limit of memory, that lets a program reserve 4 GiB of addresses';
      throw new EnvironmentError(
        'OUT_OF_MEMORY',
        `The wasm engine cannot reserve any memory; accepted: ${accepted}.`,
        { option: 'engine', value: 'wasm', accepted, cause },
      );
    }
  }

  /** Throws `DISPOSED` after `dispose()`. */
  requireAlive(): void {
    this.lifetime.requireAlive();
  }

  /** Ends the use of the memory. @returns true at the first call */
  dispose(): boolean {
    return this.lifetime.end();
  }

  /** Upper limit in bytes. */
  readonly most = maxBytes;

  /** Bytes in use. */
  get bytes(): number {
    return [...this.used.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /**
   * Throws unless `bytes` more can be allocated.
   * @param what subject of the message, which needs the bytes
   * @param fits alternative that fits, for the message
   */
  requireRoom(bytes: number, what: string, fits: string): void {
    this.requireAlive();
    const room = this.most - this.bytes;
    if (bytes <= room) return;
    throw new EnvironmentError(
      'OUT_OF_MEMORY',
      `${what} takes about ${gibibytes(bytes)} of memory for the wasm engine, which has ${gibibytes(room)} left of 4 GiB; accepted: ${fits}.`,
      { option: 'size', value: bytes, accepted: fits },
    );
  }

  /** Room for `bytes`, not cleared. @throws EnvironmentError `OUT_OF_MEMORY` */
  allocate(bytes: number): number {
    this.requireAlive();
    const size = Math.ceil(bytes / alignment) * alignment;
    const index = this.free.findIndex((block) => block.bytes >= size);
    const block = this.free[index];
    if (!block || !this.reach(block.address + size)) {
      throw new EnvironmentError(
        'OUT_OF_MEMORY',
        `The wasm engine has no room for ${Math.ceil(size / 2 ** 20)} MiB more beside ${Math.ceil(this.bytes / 2 ** 20)} MiB in use; choose a smaller image size or fewer layers.`,
        { option: 'size', value: size, accepted: 'at most 4 GiB in all' },
      );
    }
    const { address } = block;
    block.address += size;
    block.bytes -= size;
    if (block.bytes === 0) this.free.splice(index, 1);
    this.used.set(address, size);
    return address;
  }

  /** Room for `length` floats, not cleared. */
  allocateFloats(length: number): number {
    return this.allocate(4 * length);
  }

  /** A new block with these numbers. */
  put(values: Float32Array): number {
    const address = this.allocateFloats(values.length);
    this.floats(address, values.length).set(values);
    return address;
  }

  /** Releases an allocation; does nothing if it has been released already. */
  release(address: number): void {
    const bytes = this.used.get(address);
    if (bytes === undefined) return;
    this.used.delete(address);
    const blocks = [...this.free, { address, bytes }].sort((a, b) => a.address - b.address);
    this.free = [];
    for (const block of blocks) {
      const last = this.free.at(-1);
      if (last && last.address + last.bytes === block.address) last.bytes += block.bytes;
      else this.free.push(block);
    }
  }

  /** A view of `length` floats. */
  floats(address: number, length: number): Float32Array {
    this.requireAlive();
    return new Float32Array(this.memory.buffer, address, length);
  }

  /** A view of `length` doubles. */
  doubles(address: number, length: number): Float64Array {
    this.requireAlive();
    return new Float64Array(this.memory.buffer, address, length);
  }

  /** A view of `length` unsigned integers. */
  integers(address: number, length: number): Uint32Array {
    this.requireAlive();
    return new Uint32Array(this.memory.buffer, address, length);
  }

  /** Grows the memory to hold `end` bytes; false if the machine cannot provide them. */
  private reach(end: number): boolean {
    const missing = end - this.memory.buffer.byteLength;
    if (missing <= 0) return true;
    try {
      this.memory.grow(Math.ceil(missing / pageBytes));
      return true;
    } catch {
      return false;
    }
  }
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
