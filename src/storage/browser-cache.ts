import { createStore, del, entries, get, set, type UseStore } from 'idb-keyval';
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

/** A {@link WeightCache} in IndexedDB. */
export function indexedDbCache(): WeightCache {
  // Opens the database, so it waits for the first use.
  let opened: UseStore | undefined;
  const store = () => {
    opened ??= createStore(cacheName, 'files');
    return opened;
  };
  return {
    name: "the browser's database",
    read: (key) => get<Bytes>(key, store()),
    write: (key, bytes) => set(key, bytes.slice(), store()),
    delete: (key) => del(key, store()),
    async list() {
      const files = await entries<string, Bytes>(store());
      return files.map(([key, { length }]) => ({ key, bytes: length }));
    },
  };
}
