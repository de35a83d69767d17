import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sourceBytes } from '../node/source-bytes';
import { filePath, writeBytes } from '../node/write-file';

/** Where jobs read their inputs and write their pictures. */
export interface JobFiles {
  /**
   * All bytes of a file.
   *
   * @param option the argument that named the file, for errors
   * @throws ImageError if there is none, or it cannot be read; the signal's reason
   */
  read(
    option: string,
    location: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>;
  /**
   * Replaces a file as a whole: whoever reads it meanwhile, or after a crash, gets the old bytes or the new ones.
   *
   * @throws ImageError if it cannot be written; the signal's reason
   */
  write(
    option: string,
    location: string,
    bytes: Uint8Array,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
}

/** Files of this machine, and of servers to read from. */
export const localFiles: JobFiles = {
  read: (option, location, { signal } = {}) => sourceBytes(option, location, signal),
  async write(_option, location, bytes, { signal } = {}) {
    const file = filePath(location);
    // If the folder cannot be made, writing fails with an error that says why.
    await mkdir(dirname(file), { recursive: true }).catch(() => {});
    signal?.throwIfAborted();
    await writeBytes(file, bytes);
  },
};
