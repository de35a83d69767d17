import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sourceBytes } from '../../node/source-bytes';
import { filePath, writeBytes } from '../../node/write-file';
import type { Store } from './store';

/** Files on a disk, or on a file system that several machines share; by paths and `file:` URLs. */
export const fileStore: Store = {
  read: (option, location, { signal } = {}) => sourceBytes(option, location, signal),
  async write(_option, location, bytes, { signal } = {}) {
    const file = filePath(location);
    // If the folder cannot be made, writing fails with an error that says why.
    await mkdir(dirname(file), { recursive: true }).catch(() => {});
    signal?.throwIfAborted();
    await writeBytes(file, bytes);
  },
};
