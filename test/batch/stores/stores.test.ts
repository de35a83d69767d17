import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRemote, isUrl, readFrom, storeOf, writeTo } from '../../../src/batch/stores';

let folder = '';
let s3: S3rver;
let web: Server;
const files = new Map<string, { bytes: Buffer; type: string | undefined }>();
/** Statuses that the web server answers with before it does as it is told. */
let failures: number[] = [];
let authorization: string | undefined;

const answer: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  ({ authorization } = request.headers);
  const failure = failures.shift();
  const path = request.url ?? '';
  const file = files.get(path);
  if (failure !== undefined) response.writeHead(failure).end();
  else if (request.method === 'PUT') {
    files.set(path, { bytes: Buffer.concat(chunks), type: request.headers['content-type'] });
    response.writeHead(201).end();
  } else if (file) response.end(file.bytes);
  else response.writeHead(404).end();
};

const environment = { ...process.env };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stores-'));
  s3 = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: join(folder, 's3'),
    configureBuckets: [{ name: 'pictures', configs: [] }],
  });
  const { port } = await s3.run();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  });
  web = createServer((request, response) => void answer(request, response));
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
});
beforeEach(() => {
  failures = [];
});
afterAll(async () => {
  process.env = environment;
  await s3.close();
  web.closeAllConnections();
  await new Promise((closed) => web.close(closed));
  await rm(folder, { recursive: true });
});

const webUrl = (path: string, user = '') =>
  `http://${user}127.0.0.1:${(web.address() as AddressInfo).port}/${path}`;

const stores: readonly [string, (name: string) => string][] = [
  ['a folder', (name) => join(folder, name)],
  ['a folder by file: URLs', (name) => `file://${join(folder, name)}`],
  ['a web server', (name) => webUrl(name)],
  ['S3', (name) => `s3://pictures/some/folder/${name}`],
];

describe.each(stores)('%s', (_, at) => {
  it('gives the bytes that were written, and the newer ones after a second time', async () => {
    const bytes = Uint8Array.from({ length: 70_001 }, (_, i) => i * 7);
    await writeTo('output', at('a.png'), bytes);
    expect(Buffer.compare(await readFrom('content', at('a.png')), bytes)).toBe(0);
    await writeTo('output', at('a.png'), bytes.slice(1, 3));
    expect([...(await readFrom('content', at('a.png')))]).toEqual([7, 14]);
  });

  it('says which argument names a file that is not there', async () => {
    await expect(readFrom('content', at('missing.png'))).rejects.toMatchObject({
      name: 'ImageError',
      code: 'FILE_NOT_FOUND',
      option: 'content',
      message: expect.stringMatching(/^content .*missing\.png/),
    });
  });

  it('does nothing once the signal has aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(readFrom('content', at('a.png'), { signal })).rejects.toThrow('enough');
    await expect(writeTo('output', at('a.png'), new Uint8Array(9), { signal })).rejects.toThrow('enough');
    expect(await readFrom('content', at('a.png'))).toHaveLength(2);
  });

  it('refuses to read a file without bytes', async () => {
    await writeTo('output', at('empty.png'), new Uint8Array());
    await expect(readFrom('content', at('empty.png'))).rejects.toMatchObject({ code: 'EMPTY' });
  });
});

describe('a web server', () => {
  it('is asked again while it answers that it cannot at present', async () => {
    failures = [503, 429];
    await writeTo('output', webUrl('patient.png'), new Uint8Array([1, 2]));
    failures = [502];
    expect([...(await readFrom('content', webUrl('patient.png')))]).toEqual([1, 2]);
  });

  it('counts as unavailable after three attempts, which a queue may repeat', async () => {
    failures = [503, 503, 503];
    await expect(readFrom('content', webUrl('patient.png'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/answered 503.*after 3 attempts/),
    });
  });

  it('counts as unavailable where nothing listens', async () => {
    const free = createServer();
    await new Promise<void>((listening) => free.listen(0, '127.0.0.1', listening));
    const { port } = free.address() as AddressInfo;
    await new Promise((closed) => free.close(closed));
    await expect(readFrom('content', `http://127.0.0.1:${port}/a.png`)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('is asked once if it refuses', async () => {
    failures = [403, 500];
    await expect(writeTo('output', webUrl('x.png'), new Uint8Array(1))).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      option: 'output',
      message: expect.stringContaining('answered 403'),
    });
    expect(failures).toEqual([500]);
  });

  it('has time to take a large file from a slow line', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await writeTo('output', webUrl('large.png'), new Uint8Array(1e6));
    // 60 s, and 20 s for 1 MB.
    expect(timers.mock.calls.map(([, ms]) => ms)).toContain(80_000);
    vi.restoreAllMocks();
  });

  it('is told the type of a picture, and user and password, which no message shows', async () => {
    await writeTo('output', webUrl('typed.JPG', 'ada:love%21@'), new Uint8Array(3));
    expect(files.get('/typed.JPG')?.type).toBe('image/jpeg');
    expect(authorization).toBe(`Basic ${btoa('ada:love!')}`);
    failures = [401];
    await expect(readFrom('content', webUrl('typed.JPG', 'ada:love%21@'))).rejects.toThrow(
      expect.not.stringMatching(/love|ada/),
    );
  });
});

describe('S3', () => {
  it('refuses buckets that are not there, with the name that S3 gives to the reason', async () => {
    await expect(writeTo('output', 's3://nowhere/a.png', new Uint8Array(1))).rejects.toMatchObject({
      code: 'STORE_REFUSED',
      message: expect.stringContaining('NoSuchBucket'),
    });
  });

  it('is not waited for without end when it is silent', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    vi.resetModules();
    const { s3Store } = await import('../../../src/batch/stores/s3-store');
    const limits = vi.spyOn(Socket.prototype, 'setTimeout');
    const stop = new AbortController();
    const reading = s3Store.read('content', 's3://pictures/a.png', { signal: stop.signal });
    reading.catch(() => {});
    // The client begins to look after three seconds.
    await expect.poll(() => limits.mock.calls.map(([ms]) => ms), { timeout: 20_000 }).toContain(60_000);
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    silent.closeAllConnections();
    await new Promise((closed) => silent.close(closed));
  });
});

describe('a location', () => {
  it.each(['ftp://host/a.png', 's3://bucket', 's3:///key', 'http://'])('is refused: %s', (location) => {
    expect(() => storeOf('output', location)).toThrow(
      expect.objectContaining({ code: 'WRONG_TYPE', option: 'output' }),
    );
  });

  it('is remote by its scheme', () => {
    expect(['s3://b/k', 'https://h/k', 'HTTP://h/k'].every(isRemote)).toBe(true);
    expect(['a/b.png', '/b.png', 'C:\\b.png', 'file:///b.png'].some(isRemote)).toBe(false);
    expect(['s3://b/k', 'HTTP://h/k', 'ftp://h/k', 'file:///b.png', 'data:,x'].every(isUrl)).toBe(true);
    expect(['a/b.png', '/b.png', 'C:\\b.png', 'C:/b.png', 'a:b.png'].some(isUrl)).toBe(false);
  });
});
