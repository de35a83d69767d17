import { sourceBytes } from '../../node/source-bytes';
import { filePath, writeBytes } from '../../node/write-file';
import type { Store } from './store';

/** Files on a disk, or on a file system that several machines share; by paths and `file:` URLs. */
export const fileStore: Store = {
  read: (option, location, { signal } = {}) => sourceBytes(option, location, signal),
  async write(_option, location, bytes, { signal } = {}) {
    signal?.throwIfAborted();
    await writeBytes(filePath(location), bytes);
  },
};
