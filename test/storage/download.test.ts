import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LayersModelOptions, layersModelWeights } from '../../src/features';
import type { ConvLayer } from '../../src/features/vgg19/layers';
import { memoryCache } from '../../src/storage';
import { FileServer } from '../support/file-server';
import { expectMade, modelFiles } from '../support/small-model';

const layers: ConvLayer[] = ['conv1_1', 'conv1_2'];
const quick: LayersModelOptions = { retryDelayMs: 1 };
let server = new FileServer(new Map());

beforeEach(async () => {
  server = await new FileServer(modelFiles(layers, (i) => [7168, 147712][i])).start();
});
afterEach(() => server.stop());

const bytesOf = (name: string): Uint8Array => server.files.get(name) ?? new Uint8Array();

/** Sends the first `bytes` of what was asked for, then breaks the connection. */
function breaksAfter(bytes: number, times: number, then: () => void = () => undefined): void {
  const path = 'shard2.bin';
  server.interfere = (request, response, before) => {
    if (request.path !== path || before >= times) return false;
    const file = bytesOf(path);
    const from = server.ranges ? Number(request.range?.match(/bytes=(\d+)-/)?.[1] ?? 0) : 0;
    if (server.etag) response.setHeader('ETag', `"${file.length}-${file[0]}"`);
    response.setHeader('Content-Length', file.length - from);
    if (from > 0) response.setHeader('Content-Range', `bytes ${from}-${file.length - 1}/${file.length}`);
    const breakConnection = () => {
      response.destroy();
      then();
    };
    response
      .writeHead(from > 0 ? 206 : 200)
      .write(file.subarray(from, from + bytes), () => setTimeout(breakConnection, 30));
    return true;
  };
}

describe('a download', () => {
  it('is tried again after 429 and 503, not before the time that the server asks for', async () => {
    const asked: number[] = [];
    server.interfere = ({ path }, response, before) => {
      if (path !== 'shard1.bin') return false;
      asked.push(performance.now());
      if (before === 0) response.writeHead(429, { 'Retry-After': '1' }).end();
      else if (before === 1) response.writeHead(503).end();
      return before < 2;
    };
    expectMade(await layersModelWeights(server.url, quick).read(['conv1_1']), 'conv1_1');
    expect(asked).toHaveLength(3);
    expect(asked[1] - asked[0]).toBeGreaterThan(950);
  });

  it('is given up after the last attempt, with what the server said', async () => {
    server.interfere = ({ path }, response) => path === 'shard1.bin' && !!response.writeHead(500).end();
    const failure = layersModelWeights(server.url, { ...quick, retries: 2 }).read(['conv1_1']);
    await expect(failure).rejects.toMatchObject({
      name: 'WeightsError',
      code: 'DOWNLOAD_FAILED',
      message: `${server.url}shard1.bin answered 500 Internal Server Error; given up after 3 attempts.`,
    });
    expect(server.paths.filter((path) => path === 'shard1.bin')).toHaveLength(3);
  });

  it('is given up at once where the server says 404, or to come back in an hour', async () => {
    server.files.delete('shard1.bin');
    await expect(layersModelWeights(server.url, quick).read(['conv1_1'])).rejects.toThrow(
      'answered 404 Not Found.',
    );
    server.interfere = (_, response) => !!response.writeHead(429, { 'Retry-After': '3600' }).end();
    await expect(layersModelWeights(server.url, quick).read(['conv1_1'])).rejects.toThrow(
      'it asks to wait 3600 s',
    );
    expect(server.paths).toEqual(['model.json', 'shard1.bin', 'model.json']);
  });

  it('is given up at once if no server listens', async () => {
    const { url } = server;
    await server.stop();
    await expect(layersModelWeights(url).read(['conv1_1'])).rejects.toThrow(
      /connection to .* failed \(.*ECONNREFUSED/,
    );
    await server.start();
  });

  it('of a whole file starts anew where the connection broke', async () => {
    breaksAfter(60_000, 2);
    expectMade(await layersModelWeights(server.url, quick).read(layers), 'conv1_2');
    const requests = server.requests.filter(({ path }) => path === 'shard2.bin');
    expect(requests.map(({ range }) => range)).toEqual([undefined, undefined, undefined]);
  });

  it('starts anew where the connection broke and the server cannot go on', async () => {
    server.ranges = false;
    breaksAfter(60_000, 1);
    expectMade(await layersModelWeights(server.url, quick).read(layers), 'conv1_2');
  });

  it('starts anew where the file has changed since the connection broke', async () => {
    for (const etag of [true, false]) {
      server.etag = etag;
      server.requests.length = 0;
      const changed = bytesOf('shard2.bin').map((byte, i) => (i % 4 === 0 ? byte ^ 1 : byte));
      breaksAfter(60_000, 1, () => server.files.set('shard2.bin', changed));
      const weights = await layersModelWeights(server.url, quick).read(layers);
      const kernel = weights.get('conv1_2')?.kernel ?? new Float32Array(0);
      const found = new Uint8Array(kernel.buffer, kernel.byteOffset, kernel.byteLength);
      expect(Buffer.compare(found, changed.subarray(0, kernel.byteLength))).toBe(0);
    }
  });

  it('that was not finished leaves nothing behind that a later session would trust', async () => {
    const cache = memoryCache();
    const damaged = bytesOf('shard2.bin').map((byte, i) => (i === 5000 ? byte ^ 1 : byte));
    server.interfere = ({ path }, response) => {
      if (path !== 'shard2.bin') return false;
      response.setHeader('ETag', `"${damaged.length}-${damaged[0]}"`);
      response.writeHead(200, { 'Content-Length': damaged.length }).write(damaged.subarray(0, 100_000));
      return true;
    };
    const controller = new AbortController();
    const interrupted = layersModelWeights(server.url, { ...quick, cache }).read(layers, {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort('enough'), 300);
    await expect(interrupted).rejects.toBe('enough');
    expect((await cache.list()).filter(({ key }) => key.includes('shard2'))).toEqual([]);
    server.interfere = () => false;
    expectMade(await layersModelWeights(server.url, { ...quick, cache }).read(layers), 'conv1_2');
  });

  it('is refused where the file is shorter than it should be, however often it is tried', async () => {
    server.interfere = ({ path }, response) => {
      if (path !== 'shard2.bin') return false;
      // Without a length, only the end of the connection tells that there is no more.
      response.writeHead(200).end(bytesOf(path).subarray(0, 50_000));
      return true;
    };
    const cache = memoryCache();
    const source = layersModelWeights(server.url, { ...quick, cache });
    await expect(source.read(layers)).rejects.toMatchObject({ code: 'WRONG_SIZE', value: 50_000 });
  });

  it('is refused where the server promises more than it sends', async () => {
    server.ranges = false;
    breaksAfter(50_000, Number.POSITIVE_INFINITY);
    const failure = layersModelWeights(server.url, { ...quick, retries: 2 }).read(layers);
    await expect(failure).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/failed \(.*\); given up after 3 attempts/),
    });
  });

  it('counts a server that sends nothing more as broken', async () => {
    server.interfere = ({ path }, response, before) => {
      if (path !== 'shard2.bin' || before > 0) return false;
      response.writeHead(200, { 'Content-Length': 147712 }).write(bytesOf(path).subarray(0, 100_000));
      return true;
    };
    expectMade(
      await layersModelWeights(server.url, { ...quick, stallTimeoutMs: 200 }).read(layers),
      'conv1_2',
    );
  });

  it('can be aborted while a server keeps it waiting, before its answer, within it, and in the pause between attempts', async () => {
    const waiting = [
      () => true,
      (_: unknown, response: ServerResponse) => !!response.writeHead(200).write('{'),
      (_: unknown, response: ServerResponse) => !!response.writeHead(429, { 'Retry-After': '60' }).end(),
    ];
    for (const interfere of waiting) {
      server.interfere = interfere;
      const controller = new AbortController();
      const reading = layersModelWeights(server.url).read(layers, { signal: controller.signal });
      setTimeout(() => controller.abort('stop'), 100);
      await expect(reading).rejects.toBe('stop');
    }
  });

  it('follows redirects', async () => {
    server.interfere = ({ path }, response) =>
      path.startsWith('old/') && !!response.writeHead(302, { Location: `/${path.slice(4)}` }).end();
    expectMade(await layersModelWeights(`${server.url}old/model.json`, quick).read(layers), 'conv1_2');
  });

  it('reads what a server compresses', async () => {
    server.interfere = ({ path }, response) =>
      !!response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(bytesOf(path)));
    expectMade(await layersModelWeights(server.url, quick).read(layers), 'conv1_2');
  });

  it('holds no more of an endless file than is expected', async () => {
    server.interfere = ({ path }, response) => {
      if (path !== 'shard2.bin') return false;
      response.writeHead(200);
      const send = () => {
        while (!response.destroyed && response.write(new Uint8Array(65536)));
        if (!response.destroyed) response.once('drain', send);
      };
      send();
      return true;
    };
    await expect(layersModelWeights(server.url, quick).read(layers)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    });
  });
});

describe('what was downloaded', () => {
  it('is not fetched again', async () => {
    const cache = memoryCache();
    await layersModelWeights(server.url, { cache }).read(layers);
    server.requests.length = 0;
    expectMade(await layersModelWeights(server.url, { cache }).read(layers), 'conv1_2');
    expectMade(await layersModelWeights(server.url, { cache, offline: true }).read(layers), 'conv1_1');
    expect(server.requests).toEqual([]);
  });

  it('is fetched once by two loads at the same time', async () => {
    const cache = memoryCache();
    const load = () => layersModelWeights(server.url, { cache }).read(layers);
    const [first, second] = await Promise.all([load(), load()]);
    expectMade(first, 'conv1_2');
    expectMade(second, 'conv1_2');
    expect([...server.paths].sort()).toEqual(['model.json', 'shard1.bin', 'shard2.bin']);
  });

  it('is fetched by the second of two loads where the first is aborted or fails', async () => {
    for (const fails of [true, false]) {
      const cache = memoryCache();
      const controller = new AbortController();
      let arrived = () => {};
      const asked = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      server.requests.length = 0;
      server.interfere = async ({ path }, response, before) => {
        if (path !== 'shard2.bin' || before > 0) return false;
        arrived();
        if (!fails) return true;
        await new Promise((resolve) => setTimeout(resolve, 30));
        response.writeHead(404).end();
        return true;
      };
      const first = layersModelWeights(server.url, { ...quick, cache }).read(layers, controller);
      const failure = expect(first).rejects.toThrow(fails ? '404' : /abort/i);
      await asked;
      const second = layersModelWeights(server.url, { ...quick, cache }).read(layers);
      if (!fails) controller.abort();
      await failure;
      expectMade(await second, 'conv1_2');
      expect(server.paths.filter((path) => path === 'shard2.bin')).toHaveLength(2);
    }
  });

  it('can be given up by a load that waits for another one', async () => {
    const cache = memoryCache();
    let release = () => {};
    const asked = new Promise<void>((resolve) => {
      server.interfere = async (request, response, before) => {
        if (request.path !== 'shard2.bin' || before > 0) return false;
        resolve();
        await new Promise<void>((go) => {
          release = go;
        });
        server.serve(request, response);
        return true;
      };
    });
    const first = layersModelWeights(server.url, { cache }).read(layers);
    await asked;
    const controller = new AbortController();
    const second = layersModelWeights(server.url, { cache }).read(layers, controller);
    const failure = expect(second).rejects.toThrow(/enough/);
    setTimeout(() => controller.abort(new Error('enough of waiting')), 30);
    await failure;
    release();
    expectMade(await first, 'conv1_2');
    expect(server.paths.filter((path) => path === 'shard2.bin')).toHaveLength(1);
  });

  it('is fetched again where it was damaged in the cache, which is said', async () => {
    const cache = memoryCache();
    await layersModelWeights(server.url, { cache }).read(layers);
    const key = (await cache.list()).find(({ key }) => key.endsWith('shard2.bin'))?.key ?? '';
    const damaged = bytesOf('shard2.bin').map((byte, i) => (i === 5000 ? byte ^ 1 : byte));
    await cache.write(key, new Uint8Array(damaged));
    server.requests.length = 0;
    const warnings: string[] = [];
    const source = layersModelWeights(server.url, { cache });
    expectMade(await source.read(layers, { onWarning: ({ code }) => warnings.push(code) }), 'conv1_2');
    expect(server.paths).toEqual(['shard2.bin']);
    expect(warnings).toEqual(['CACHE_CORRUPT']);
    expect(Buffer.compare((await cache.read(key)) ?? new Uint8Array(), bytesOf('shard2.bin'))).toBe(0);
  });

  it('is used where the cache fails, which is said', async () => {
    const fail = async () => {
      throw new Error('ENOSPC: no space left on device');
    };
    const cache = { name: 'full', read: fail, write: fail, delete: fail, list: fail };
    const warnings: string[] = [];
    const source = layersModelWeights(server.url, { cache });
    expectMade(await source.read(layers, { onWarning: ({ message }) => warnings.push(message) }), 'conv1_2');
    expect(warnings[0]).toBe('full does not work as a weight cache: ENOSPC: no space left on device');
  });

  it('leaves nothing in the cache where it is not what was expected', async () => {
    const cache = memoryCache();
    const source = layersModelWeights(server.url, {
      ...quick,
      cache,
      sha256: { 'shard1.bin': 'a'.repeat(64) },
    });
    await expect(source.read(['conv1_1'])).rejects.toMatchObject({ code: 'WRONG_HASH' });
    expect((await cache.list()).map(({ key }) => key.split('/').at(-1))).toEqual([
      'model.json.sha256',
      'model.json',
    ]);
  });

  it('is forgotten where it makes no sense: a page for a model.json, a shard cut short, a number that is none', async () => {
    const noNumber = bytesOf('shard1.bin').slice();
    noNumber.set([0, 0, 0xc0, 0x7f]);
    const wrong: [string, Uint8Array, string][] = [
      ['model.json', new TextEncoder().encode('<!DOCTYPE html>'), 'MALFORMED_WEIGHTS'],
      ['shard1.bin', bytesOf('shard1.bin').slice(0, 7000), 'WRONG_SIZE'],
      ['shard2.bin', bytesOf('shard2.bin').slice(0, 7000), 'WRONG_SIZE'],
      ['shard1.bin', noNumber, 'NOT_FINITE'],
    ];
    for (const [name, bytes, code] of wrong) {
      const cache = memoryCache();
      const good = bytesOf(name);
      server.files.set(name, bytes);
      const source = layersModelWeights(server.url, { ...quick, cache });
      await expect(source.read(layers)).rejects.toMatchObject({ code });
      expect(await cache.list()).toEqual([]);
      server.files.set(name, good);
      expectMade(await source.read(layers), 'conv1_2');
    }
  });

  it('is an error where nothing may be fetched and the cache is empty', async () => {
    const source = layersModelWeights(server.url, { cache: memoryCache(), offline: true });
    await expect(source.read(layers)).rejects.toMatchObject({ code: 'NOT_CACHED' });
    expect(server.requests).toEqual([]);
  });
});
