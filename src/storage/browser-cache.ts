import type { WeightCache } from './byte-cache';
import type { Bytes } from './byte-store';

const cacheName = 'tfjs-style-transfer';

/** The cache of the page's or worker's origin: the Cache API, or IndexedDB where there is none (pages over plain http). */
export function browserCache(): WeightCache | undefined {
  if (typeof caches !== 'undefined') return cacheApiCache();
  if (typeof indexedDB !== 'undefined') return indexedDbCache();
  return undefined;
}

/** A {@link WeightCache} in the Cache API. */
export function cacheApiCache(storage: CacheStorage = caches): WeightCache {
  const opened = () => storage.open(cacheName);
  // The Cache API wants URLs; this one exists nowhere (RFC 2606).
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
export function indexedDbCache(factory: IDBFactory = indexedDB): WeightCache {
  const storeName = 'files';
  let opening: Promise<IDBDatabase> | undefined;
  const database = (): Promise<IDBDatabase> => {
    opening ??= new Promise((resolve, reject) => {
      const request = factory.open(cacheName, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(storeName);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opening;
  };
  const run = async <T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const transaction = (await database()).transaction(storeName, mode);
    const request = work(transaction.objectStore(storeName));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  };
  return {
    name: "the browser's database",
    async read(key) {
      return (await run<Bytes | undefined>('readonly', (store) => store.get(key))) ?? undefined;
    },
    async write(key, bytes) {
      await run('readwrite', (store) => store.put(bytes.slice(), key));
    },
    async delete(key) {
      await run('readwrite', (store) => store.delete(key));
    },
    async list() {
      const keys = await run('readonly', (store) => store.getAllKeys());
      const sizes = await Promise.all(
        keys.map((key) => run<Bytes | undefined>('readonly', (store) => store.get(key))),
      );
      return keys.map((key, i) => ({ key: String(key), bytes: sizes[i]?.length ?? 0 }));
    },
  };
}
