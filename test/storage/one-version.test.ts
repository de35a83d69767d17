import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryCache, type WeightCache } from '../../src/storage';
import type { ByteRange } from '../../src/storage/byte-store';
import { remoteStore } from '../../src/storage/remote-store';
import { FileServer } from '../support/file-server';

const size = 300_000;
/** Two large parts and small ones that join the second. */
const ranges: ByteRange[] = [
  { offset: 8, length: 100_000 },
  { offset: 150_000, length: 100 },
  { offset: 150_100, length: 70_000 },
  { offset: 290_000, length: 50 },
];
/** A version of the file has the same value in all of its bytes. */
const version = (value: number, length = size) => new Uint8Array(length).fill(value);

let server = new FileServer(new Map());
beforeEach(async () => {
  server = await new FileServer(new Map([['a.bin', version(1)]])).start();
});
afterEach(() => server.stop());

const storeOf = (cache: WeightCache | false = false, retries = 4) =>
  remoteStore(
    server.url,
    { cache, retries, retryDelayMs: 1, stallTimeoutMs: 5000, offline: false, fetch: undefined },
    'model.json',
  );

/** Reads ranges and gives the value of each piece's bytes, which must be one. */
async function valuesOf(store: ReturnType<typeof storeOf>, wanted: readonly ByteRange[] = ranges) {
  const pieces = await store.readRanges('a.bin', wanted);
  expect(pieces.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
  for (const piece of pieces) expect(piece.every((byte) => byte === piece[0])).toBe(true);
  return pieces.map(([value]) => value);
}

/** Replaces the file before the request with this number. */
function replaceBefore(request: number, file: Uint8Array): void {
  server.interfere = () => {
    if (server.requests.length === request) server.files.set('a.bin', file);
    return false;
  };
}

describe('parts of a file on a server', () => {
  it('are all of the new version where the file is replaced between two of them', async () => {
    for (const name of ['etag', 'last-modified'] as const) {
      server.files.set('a.bin', version(1));
      server.requests.length = 0;
      server.etag = name === 'etag';
      let modified = 1;
      server.lastModified = name === 'etag' ? undefined : new Date(modified).toUTCString();
      server.interfere = () => {
        if (server.requests.length === 2) {
          server.files.set('a.bin', version(2));
          modified = Date.UTC(2020, 1, 1);
          if (name === 'last-modified') server.lastModified = new Date(modified).toUTCString();
        }
        return false;
      };
      expect(await valuesOf(storeOf())).toEqual([2, 2, 2, 2]);
    }
  });

  it('come in one transfer from a server that names no version, or only one that bytes may share', async () => {
    for (const etag of [false, 'weak'] as const) {
      server.etag = etag;
      server.files.set('a.bin', version(1));
      server.requests.length = 0;
      replaceBefore(3, version(2));
      expect(await valuesOf(storeOf())).toEqual([1, 1, 1, 1]);
      expect(server.requests.at(-1)?.range).toBeUndefined();
    }
  });

  it('come in one transfer from a server that names another version every time', async () => {
    let count = 0;
    server.interfere = (request, response) => {
      server.etag = false;
      response.setHeader('ETag', `"${count++}"`);
      server.serve(request, response);
      return true;
    };
    expect(await valuesOf(storeOf())).toEqual([1, 1, 1, 1]);
    expect(server.requests.at(-1)?.range).toBeUndefined();
  });

  it('are not mixed with those of an older version in the cache, which it then forgets', async () => {
    const cache = memoryCache();
    expect(await valuesOf(storeOf(cache), ranges.slice(0, 2))).toEqual([1, 1]);
    server.files.set('a.bin', version(2));
    expect(await valuesOf(storeOf(cache), ranges.slice(0, 2))).toEqual([1, 1]);
    expect(await valuesOf(storeOf(cache))).toEqual([2, 2, 2, 2]);
    const kept = (await cache.list()).filter(({ key }) => /bytes-\d+-\d+$/.test(key));
    expect(kept).toHaveLength(ranges.length);
    server.requests.length = 0;
    expect(await valuesOf(storeOf(cache))).toEqual([2, 2, 2, 2]);
    expect(server.requests).toEqual([]);
  });

  it('stay in the cache where a later one fails, and are not fetched again', async () => {
    const cache = memoryCache();
    server.interfere = ({ range }, response) =>
      !!range?.startsWith('bytes=150000') && !!response.writeHead(404).end();
    await expect(valuesOf(storeOf(cache))).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    server.interfere = () => false;
    server.requests.length = 0;
    expect(await valuesOf(storeOf(cache))).toEqual([1, 1, 1, 1]);
    expect(server.requests.map(({ range }) => range)).not.toContain('bytes=8-100007');
  });

  it('are given up after failures that bring none, not after failures that do', async () => {
    const adjoining = Array.from({ length: 6 }, (_, i) => ({ offset: 1000 + i * 1000, length: 1000 }));
    for (const sent of [1500, 500]) {
      server.requests.length = 0;
      server.interfere = ({ range }, response) => {
        const from = Number(range?.match(/=(\d+)/)?.[1] ?? 0);
        const headers = { ETag: '"a"', 'Content-Range': `bytes ${from}-${size - 1}/${size}` };
        response
          .writeHead(206, headers)
          .write(version(1, sent), () => setTimeout(() => response.destroy(), 20));
        return true;
      };
      const reading = valuesOf(storeOf(false, 1), adjoining);
      if (sent === 1500) expect(await reading).toEqual([1, 1, 1, 1, 1, 1]);
      else await expect(reading).rejects.toThrow(/given up after 2 attempts/);
      expect(server.requests).toHaveLength(sent === 1500 ? 6 : 2);
    }
  });

  it('are refused where a shorter file takes the place of the first', async () => {
    replaceBefore(2, version(2, 120_000));
    await expect(valuesOf(storeOf())).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it('are refused where the server answers with others than those that were asked for', async () => {
    server.interfere = (_, response) =>
      !!response
        .writeHead(206, { 'Content-Range': `bytes 0-99/${size}`, 'Content-Length': 100 })
        .end(version(1, 100));
    await expect(valuesOf(storeOf())).rejects.toThrow(/answered a request for byte 8 with byte 0/);
  });

  it('are of one version, in the cache too, whatever the server does', async () => {
    const faults = fc.record({
      ranges: fc.boolean(),
      etag: fc.constantFrom(true, 'weak' as const, false),
      /** Requests before which the file is replaced. */
      replaced: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
      /** Requests whose connection breaks after as many bytes. */
      broken: fc.dictionary(fc.constantFrom('1', '2', '3', '4'), fc.nat(size), { maxKeys: 3 }),
      before: fc.subarray([...ranges]),
    });
    await fc.assert(
      fc.asyncProperty(faults, async ({ ranges: honoured, etag, replaced, broken, before }) => {
        server.ranges = honoured;
        server.etag = etag;
        server.requests.length = 0;
        server.interfere = () => false;
        server.files.set('a.bin', version(1));
        const cache = memoryCache();
        if (before.length > 0) await valuesOf(storeOf(cache), before);
        server.requests.length = 0;
        server.interfere = ({ range }, response) => {
          const request = server.requests.length;
          if (replaced.includes(request)) server.files.set('a.bin', version(1 + request));
          if (!(request in broken)) return false;
          const file = server.files.get('a.bin') ?? new Uint8Array();
          const from = honoured ? Number(range?.match(/=(\d+)/)?.[1] ?? 0) : 0;
          if (etag) response.setHeader('ETag', `${etag === 'weak' ? 'W/' : ''}"${size}-${file[0]}"`);
          if (from > 0) response.setHeader('Content-Range', `bytes ${from}-${size - 1}/${size}`);
          response.writeHead(from > 0 ? 206 : 200).write(file.subarray(from, from + broken[request]), () => {
            setTimeout(() => response.destroy(), 5);
          });
          return true;
        };
        const values = await valuesOf(storeOf(cache));
        expect(new Set(values).size).toBe(1);
        server.interfere = (_, response) => !!response.writeHead(500).end();
        expect(await valuesOf(storeOf(cache))).toEqual(values);
      }),
      { numRuns: 60 },
    );
  });
});
