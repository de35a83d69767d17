import { WeightsError } from '../errors';
import type { Bytes } from './byte-store';

/** Collects a download's bytes: `length` of them, or as many as come up to `limit`. */
export class Receiver {
  filled = 0;
  /** What the server calls the version of the file that the bytes are of. */
  version: string | undefined;
  private buffer: Bytes;

  constructor(
    private readonly file: string,
    readonly length: number | undefined,
    readonly limit: number,
    /** Whether the bytes are all of a file, not a part. */
    readonly whole: boolean,
  ) {
    this.buffer = new Uint8Array(length ?? Math.min(limit, 2 ** 16));
  }

  get complete(): boolean {
    return this.filled === this.length;
  }

  /** What has arrived. */
  get bytes(): Bytes {
    return this.buffer.subarray(0, this.filled);
  }

  /** Forgets what has arrived. */
  reset(): void {
    this.filled = 0;
    this.version = undefined;
  }

  /**
   * Takes bytes that lie at `at`, which is no more than {@link filled}.
   * @returns false where they contradict what is there: the file has changed
   */
  put(at: number, bytes: Uint8Array): boolean {
    const known = Math.min(bytes.length, this.filled - at);
    for (let i = 0; i < known; i++) if (bytes[i] !== this.buffer[at + i]) return false;
    const end = at + bytes.length;
    if (end <= this.filled) return true;
    if (end > this.limit)
      throw new WeightsError(
        'TOO_LARGE',
        `${this.file} is larger than expected: more than ${this.limit} bytes.`,
        {
          option: 'weights',
          value: end,
          accepted: `at most ${this.limit} bytes`,
        },
      );
    if (end > this.buffer.length) {
      const grown = new Uint8Array(Math.min(this.limit, Math.max(end, 2 * this.buffer.length)));
      grown.set(this.bytes);
      this.buffer = grown;
    }
    this.buffer.set(known > 0 ? bytes.subarray(known) : bytes, this.filled);
    this.filled = end;
    return true;
  }
}
