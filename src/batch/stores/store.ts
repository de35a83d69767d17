/** Options of a {@link Store}'s functions. */
export interface StoreOptions {
  /** Ends any wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where pictures come from and go to: files of one kind of location. */
export interface Store {
  /**
   * All bytes of a file, at most 512 MiB.
   *
   * @param option the argument that named the file, for errors
   * @throws ImageError `FILE_NOT_FOUND`, `STORE_REFUSED`, `STORE_UNAVAILABLE`, `READ_FAILED`, `TOO_LARGE`, `EMPTY`
   */
  read(option: string, location: string, options?: StoreOptions): Promise<Uint8Array>;
  /**
   * Replaces a file as a whole: whoever reads it meanwhile gets the old bytes or the new ones.
   *
   * @throws ImageError `STORE_REFUSED`, `STORE_UNAVAILABLE`, `NOT_WRITABLE`
   */
  write(option: string, location: string, bytes: Uint8Array, options?: StoreOptions): Promise<void>;
}

/** Milliseconds without an answer or a byte after which a connection counts as broken. */
export const stallTimeoutMs = 60_000;

/** Largest file that a store reads, in bytes. */
export const mostBytes = 2 ** 29;
