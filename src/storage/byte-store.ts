import type { WeightsWarning } from './progress';

/** Bytes that own their memory, as WebCrypto and `Response` want them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of several parts. */
export const totalLength = (parts: readonly { readonly length: number }[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0);

/** Options of a {@link ByteStore}'s functions. */
export interface ReadBytesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the present call have arrived; less than before when a download starts anew. */
  readonly onBytes?: ((loaded: number) => void) | undefined;
  /** Told of what went wrong without preventing the bytes from being read: a cache that cannot be written. */
  readonly onWarning?: ((warning: WeightsWarning) => void) | undefined;
}

/**
 * A folder of files with weights: on disk, on a server, in memory. Names are relative to it, with `/` between folders.
 */
export interface ByteStore {
  /** For people: the folder's path or URL. */
  readonly name: string;
  /** The file in the folder that the location named, if it named one. */
  readonly entry?: string | undefined;
  /** Whether a file is better read whole than in parts; `size` where it is known. */
  prefersWhole(file: string, size: number | undefined): boolean;
  /** Size of a file in bytes. */
  size(file: string, options?: ReadBytesOptions): Promise<number>;
  /** All of a file. Throws a `WeightsError` where it holds more than `limit` bytes. */
  read(file: string, limit: number, options?: ReadBytesOptions): Promise<Bytes>;
  /**
   * Parts of one version of a file, in order: bytes of a file that is replaced meanwhile are never mixed with those of
   * its successor. The ranges ascend and do not overlap.
   */
  readRanges(file: string, ranges: readonly ByteRange[], options?: ReadBytesOptions): AsyncIterable<Bytes>;
  /** Removes from a cache what was read: it is not what it should be. */
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
