import type { WeightsWarning } from './progress';

/** Bytes in unshared memory, as WebCrypto and `Response` require. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of several parts. */
export const totalLength = (parts: readonly { readonly length: number }[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0);

/** The end of the last of some parts of a file. */
export const endOf = (ranges: readonly ByteRange[]): number =>
  Math.max(0, ...ranges.map(({ offset, length }) => offset + length));

/** Bytes of some parts of a file that lie before a position. */
export const bytesBefore = (position: number, ranges: readonly ByteRange[]): number =>
  ranges.reduce((sum, { offset, length }) => sum + Math.min(length, Math.max(0, position - offset)), 0);

/** Copies into each of `parts` what `chunk`, the bytes of a file from `position`, holds of its range. */
export function copyRanges(
  chunk: Uint8Array,
  position: number,
  ranges: readonly ByteRange[],
  parts: readonly Uint8Array[],
): void {
  for (const [i, { offset, length }] of ranges.entries()) {
    const from = Math.max(offset, position);
    const to = Math.min(offset + length, position + chunk.length);
    if (from < to) parts[i].set(chunk.subarray(from - position, to - position), from - offset);
  }
}

/** Options of a {@link ByteStore}'s functions. */
export interface ReadBytesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes of this call that have arrived; the number falls when a download restarts. */
  readonly onBytes?: ((loaded: number) => void) | undefined;
  /** Called for problems that do not prevent reading, such as a cache that cannot be written. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
}

/**
 * A folder of files with weights: on disk, on a server, in memory. Names are relative to it, with `/` between folders.
 */
export interface ByteStore {
  /** Name for messages: the folder's path or URL. */
  readonly name: string;
  /** The file in the folder that the location named, if it named one. */
  readonly entry?: string | undefined;
  /** Size of a file in bytes, where that is known without reading the file. */
  size?(file: string): Promise<number>;
  /** All of a file. Throws a `WeightsError` if it holds more than `limit` bytes. */
  read(file: string, limit: number, options?: ReadBytesOptions): Promise<Bytes>;
  /**
   * Parts of one version of a file, in order: if the file is replaced meanwhile, bytes of old and new are never mixed.
   * The ranges ascend and do not overlap.
   */
  readRanges(
    file: string,
    ranges: readonly ByteRange[],
    options?: ReadBytesOptions,
  ): Promise<readonly Bytes[]>;
  /** Removes the files read from the cache, because their contents are wrong. */
  discard?(): Promise<void>;
}

/** Whether a value is a {@link ByteStore}. */
export function isByteStore(value: unknown): value is ByteStore {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<ByteStore>).readRanges === 'function'
  );
}
