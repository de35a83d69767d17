import type { UseStore } from 'idb-keyval';
import type { WeightCache } from './byte-cache';
import type { Bytes } from './byte-store';

const cacheName = 'tfjs-style-transfer';

/**
 * The cache of a page's or worker's origin: the Cache API, or IndexedDB where there is none (pages over plain http).
 */
export function browserCache(): WeightCache | undefined {
  if (typeof caches !== 'undefined') return cacheApiCache();
  if (typeof indexedDB !== 'undefined') return indexedDbCache();
  return undefined;
}

/** A {@link WeightCache} in the Cache API. */
export function cacheApiCache(storage: CacheStorage = caches): WeightCache {
  const opened = () => storage.open(cacheName);
  // Keys of the Cache API are URLs; this origin exists nowhere (RFC 2606).
  const origin = 'https://tfjs-style-transfer.invalid/';
  return {
    name: "the browser's cache",
    async read(key) {
      const response = await (await opened()).match(origin + key);
      return response && new Uint8Array(await response.arrayBuffer());
    },
    async write(key, bytes) {
      const headers = { 'Content-Type': 'application/octet-stream', 'X-Size': String(bytes.length) };
      await (await opened()).put(origin + key, new Response(bytes, { headers }));
    },
    async delete(key) {
      await (await opened()).delete(origin + key);
    },
    async list() {
      const cache = await opened();
      const requests = await cache.keys();
      return Promise.all(
        requests.map(async (request) => {
          const response = await cache.match(request);
          return {
            key: request.url.slice(origin.length),
            bytes: Number(response?.headers.get('X-Size') ?? 0),
          };
        }),
      );
    },
  };
}

/** A {@link WeightCache} in IndexedDB. @param database its name */
export function indexedDbCache(database = cacheName): WeightCache {
  // Loaded and opened at the first use.
  let opened: Promise<{ db: Database; store: UseStore }> | undefined;
  const using = async <T>(work: (db: Database, store: UseStore) => Promise<T>): Promise<T> => {
    opened ??= import('idb-keyval').then((db) => ({ db, store: db.createStore(database, 'files') }));
    const { db, store } = await opened;
    return work(db, store);
  };
  return {
    name: "the browser's database",
    read: (key) => using((db, store) => db.get<Bytes>(key, store)),
    write: (key, bytes) => using((db, store) => db.set(key, bytes.slice(), store)),
    delete: (key) => using((db, store) => db.del(key, store)),
    async list() {
      const files = await using((db, store) => db.entries<string, Bytes>(store));
      return files.map(([key, { length }]) => ({ key, bytes: length }));
    },
  };
}

type Database = typeof import('idb-keyval');
