import { cacheApiCache, indexedDbCache, type WeightCache } from '../../src/storage';
import { weightCacheContract } from '../contracts/byte-cache';

/** Both keep what earlier tests wrote. */
async function emptied(cache: WeightCache): Promise<WeightCache> {
  for (const { key } of await cache.list()) await cache.delete(key);
  return cache;
}

weightCacheContract('Cache API', () => emptied(cacheApiCache()));
weightCacheContract('IndexedDB', () => emptied(indexedDbCache()));
