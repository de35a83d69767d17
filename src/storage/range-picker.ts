import type { ByteRange, Bytes } from './byte-store';

/** Copies parts out of a file's bytes, which arrive in ascending order and may skip bytes that no range needs. */
export class RangePicker {
  /** The parts that are complete, in order. */
  readonly complete: Bytes[] = [];
  /** The part in progress, of which `filled` bytes have arrived. */
  private current: Bytes | undefined;
  private filled = 0;

  /** @param ranges ascending, without overlaps */
  constructor(private readonly ranges: readonly ByteRange[]) {}

  get done(): boolean {
    return this.complete.length === this.ranges.length;
  }

  /** Bytes of all ranges so far. */
  get loaded(): number {
    return this.complete.reduce((sum, { length }) => sum + length, this.filled);
  }

  /** Adds the bytes of the file that start at `position`. */
  add(chunk: Uint8Array, position: number): void {
    const end = position + chunk.length;
    while (!this.done) {
      const { offset, length } = this.ranges[this.complete.length];
      const from = offset + this.filled;
      if (from >= end) return;
      this.current ??= new Uint8Array(length);
      const part = chunk.subarray(from - position, Math.min(offset + length, end) - position);
      this.current.set(part, this.filled);
      this.filled += part.length;
      if (this.filled < length) return;
      this.complete.push(this.current);
      [this.current, this.filled] = [undefined, 0];
    }
  }
}
