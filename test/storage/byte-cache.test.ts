import { describe, expect, it } from 'vitest';
import { cacheApiCache, memoryCache } from '../../src/storage';
import { isCacheKey } from '../../src/storage/byte-cache';
import { weightCacheContract } from '../contracts/byte-cache';

weightCacheContract('memory', memoryCache);
// Browsers' own are tested in a browser; here, what this library makes of the Cache API.
weightCacheContract('Cache API', () => cacheApiCache(imitatedCacheStorage()));

describe('a key', () => {
  it('is fit for a path', () => {
    for (const key of ['model.json', 'vgg19-08d09052/group1-shard1of1', 'localhost_80/ab/x.bin.sha256', '_a'])
      expect(isCacheKey(key)).toBe(true);
    for (const key of [
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      '.a',
      'a/.b',
      'a\\b',
      'A',
      'a b',
      'c:',
      'a'.repeat(256),
    ])
      expect(isCacheKey(key), key).toBe(false);
  });
});

function imitatedCacheStorage(): CacheStorage {
  const stored = new Map<string, Response>();
  const urlOf = (request: RequestInfo | URL) => (request instanceof Request ? request.url : String(request));
  const cache: Pick<Cache, 'match' | 'put' | 'delete' | 'keys'> = {
    match: async (request) => stored.get(urlOf(request))?.clone(),
    put: async (request, response) => {
      stored.set(urlOf(request), new Response(await response.arrayBuffer(), { headers: response.headers }));
    },
    delete: async (request) => stored.delete(urlOf(request)),
    keys: async () => [...stored.keys()].map((url) => new Request(url)),
  };
  return { open: async () => cache as Cache } as unknown as CacheStorage;
}
