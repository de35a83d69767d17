import { describe, expect, it } from 'vitest';
import type { WeightCache } from '../../src/storage';

const bytes = (...values: number[]) => Uint8Array.from(values);

/** The contract of {@link WeightCache}s. `create` makes an empty one. */
export function weightCacheContract(name: string, create: () => WeightCache | Promise<WeightCache>): void {
  describe(`the cache of weights '${name}'`, () => {
    it('gives back what was written, and nothing for what was not', async () => {
      const cache = await create();
      await cache.write('host/0123/model.json', bytes(1, 2, 3));
      expect(await cache.read('host/0123/model.json')).toEqual(bytes(1, 2, 3));
      expect(await cache.read('host/0123')).toBeUndefined();
      expect(await cache.read('model.json')).toBeUndefined();
    });

    it('replaces what was there', async () => {
      const cache = await create();
      await cache.write('a', bytes(1, 2, 3));
      await cache.write('a', bytes(4));
      expect(await cache.read('a')).toEqual(bytes(4));
    });

    it('keeps bytes that are a part of a larger buffer', async () => {
      const cache = await create();
      await cache.write('a', bytes(1, 2, 3, 4).subarray(1, 3));
      expect(await cache.read('a')).toEqual(bytes(2, 3));
    });

    it('is not changed through what it took or gave', async () => {
      const cache = await create();
      const written = bytes(1, 2);
      await cache.write('a', written);
      written[0] = 9;
      (await cache.read('a'))?.fill(9);
      expect(await cache.read('a')).toEqual(bytes(1, 2));
    });

    it('lists its keys and sizes', async () => {
      const cache = await create();
      expect(await cache.list()).toEqual([]);
      await cache.write('b/x.bin', bytes(1, 2, 3));
      await cache.write('a', bytes());
      const listed = [...(await cache.list())].sort((a, b) => (a.key < b.key ? -1 : 1));
      expect(listed).toEqual([
        { key: 'a', bytes: 0 },
        { key: 'b/x.bin', bytes: 3 },
      ]);
    });

    it('deletes, also what is not there', async () => {
      const cache = await create();
      await cache.write('a', bytes(1));
      await cache.delete('a');
      await cache.delete('a');
      expect(await cache.read('a')).toBeUndefined();
      expect(await cache.list()).toEqual([]);
    });

    it('takes writes at the same time', async () => {
      const cache = await create();
      const large = (value: number) => new Uint8Array(100_000).fill(value);
      await Promise.all(Array.from({ length: 8 }, (_, i) => cache.write('a/b', large(i))));
      const found = (await cache.read('a/b')) ?? bytes();
      expect(found.length).toBe(100_000);
      expect(found.every((value) => value === found[0])).toBe(true);
    });
  });
}
