import type { Bytes } from './byte-store';

/**
 * Keeps downloaded files of weights. Write another by implementing this; the library checks what it reads from it by
 * SHA-256.
 */
export interface WeightCache {
  /** For people: a folder's path, `"the browser's cache"`. */
  readonly name: string;
  /** The bytes under a key, undefined where there are none. */
  read(key: string): Promise<Bytes | undefined>;
  /** Puts bytes under a key, in place of what was there; a reader sees all of the old ones or all of the new. */
  write(key: string, bytes: Bytes): Promise<void>;
  /** Removes a key; no error where it is not there. */
  delete(key: string): Promise<void>;
  /** All keys. */
  list(): Promise<readonly CachedFile[]>;
}

/** A file in a {@link WeightCache}. */
export interface CachedFile {
  /** Lower-case letters, digits, `.`, `_`, `-`, and `/` between folders: fit for a file system. */
  readonly key: string;
  readonly bytes: number;
}

/** Whether a key has the form that {@link CachedFile} describes, so that it is a safe path below a cache's folder. */
export function isCacheKey(key: string): boolean {
  return key.length <= 255 && /^[a-z0-9_-][a-z0-9._-]*(\/[a-z0-9_-][a-z0-9._-]*)*$/.test(key);
}

/** A cache that lasts as long as the program: for tests, and where nothing may be kept. */
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
