import type { Bytes } from './byte-store';

/**
 * A cache of downloaded weight files. Implement this interface for another cache; the library checks the files read
 * from it by SHA-256.
 */
export interface WeightCache {
  /** Name for messages: a folder's path, `"the browser's cache"`. */
  readonly name: string;
  /** The bytes under a key; undefined if there are none. */
  read(key: string): Promise<Bytes | undefined>;
  /** Stores bytes under a key, replacing any others; a reader sees either all of the old or all of the new bytes. */
  write(key: string, bytes: Bytes): Promise<void>;
  /** Removes a key; no error if it does not exist. */
  delete(key: string): Promise<void>;
  /** All keys. */
  list(): Promise<readonly CachedFile[]>;
}

/** A file in a {@link WeightCache}. */
export interface CachedFile {
  /** Lower-case letters, digits, `.`, `_`, `-`, and `/` between folders: valid as a path in every file system. */
  readonly key: string;
  readonly bytes: number;
}

/** Whether a key has the form that {@link CachedFile} describes, so that it is a safe path below a cache's folder. */
export function isCacheKey(key: string): boolean {
  return key.length <= 255 && /^[a-z0-9_-][a-z0-9._-]*(\/[a-z0-9_-][a-z0-9._-]*)*$/.test(key);
}

/** A cache in memory: for tests, and for programs that must not store files. */
export function memoryCache(): WeightCache {
  const files = new Map<string, Bytes>();
  return {
    name: 'memory',
    async read(key) {
      return files.get(key)?.slice();
    },
    async write(key, bytes) {
      files.set(key, bytes.slice());
    },
    async delete(key) {
      files.delete(key);
    },
    async list() {
      return Array.from(files, ([key, { length }]) => ({ key, bytes: length }));
    },
  };
}
