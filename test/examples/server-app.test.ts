import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../examples/server/app';
import type { Limits } from '../../examples/server/limits';
import type { BatchRecord } from '../../src/batch/job';
import { type JobQueue, openQueue } from '../../src/batch/queue/job-queue';
import type { PaintJob } from '../../src/batch/queue/queued-job';
import { serveQueue } from '../../src/batch/queue/serve-queue';
import { hasRedis, RedisServer } from '../support/redis-server';

/** A worker's record without its painting: the server does not care who painted. */
const paintWhite: PaintJob = async ({ job }, { onProgress }) => {
  onProgress({ iteration: 1, iterations: 2, evaluations: 1, loss: 0.5, done: 0.5, secondsLeft: 1 });
  await sharp({ create: { width: 8, height: 8, channels: 3, background: 'white' } })
    .png()
    .toFile(job.output);
  const facts = { inputs: job.inputs ?? {}, seconds: 1, ended: '', library: '0', sha256: '' };
  const run = {
    width: 8,
    height: 8,
    loss: 1,
    iterations: 2,
    evaluations: 2,
    weights: '',
    engine: 'wasm',
    embedded: true,
  };
  return { ...job, state: 'done', ...facts, ...run };
};

let redis: RedisServer;
let folder: string;
let picture: Blob;

describe.skipIf(!hasRedis)('the server of examples/server', () => {
  let queue: JobQueue;
  let app: FastifyInstance;
  let address = '';
  let url = '';
  let stop: () => Promise<void>;
  let prefixes = 0;

  beforeAll(async () => {
    redis = await RedisServer.start();
    const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
    const png = sharp({ create: { width: 40, height: 30, channels: 3, background: 'red', noise } }).png();
    picture = new Blob([Uint8Array.from(await png.toBuffer())]);
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'server-'));
    url = redis.url(`server-${prefixes++}`);
    queue = await openQueue(url);
    stop = async () => {};
  });
  afterEach(async () => {
    await stop();
    await app.close();
    await queue.close();
    await rm(folder, { recursive: true });
  });

  async function start(limits: Partial<Limits> = {}, by: JobQueue = queue): Promise<void> {
    app = await createApp({ queue: by, folder, limits });
    address = await app.listen({ port: 0, host: '127.0.0.1' });
  }

  function work(paint: PaintJob): void {
    const stopping = new AbortController();
    const ended = serveQueue(url, paint, { signal: stopping.signal, jobs: 4 });
    stop = () => {
      stopping.abort();
      return ended;
    };
  }

  /** The queue, which says how much it has to do only when it is told to. */
  function slowQueue() {
    let asked = 0;
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const counts = async () => {
      asked++;
      await answered;
      return queue.counts();
    };
    return { queue: { ...queue, counts }, asked: () => asked, answer: () => answer() };
  }

  const form = (fields: Readonly<Record<string, Blob | string>>): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields))
      if (typeof value === 'string') data.set(name, value);
      else data.set(name, value, '../../../etc/passwd');
    return data;
  };
  const post = (fields: Readonly<Record<string, Blob | string>>) =>
    fetch(`${address}/pictures`, { method: 'POST', body: form(fields) });
  const both = () => ({ content: picture, style: picture });

  it('takes two pictures, tells how far it is, and gives the picture', async () => {
    await start();
    const accepted = await post({ ...both(), size: '64', iterations: '2' });
    expect(accepted.status).toBe(202);
    const { id, events, picture: place } = (await accepted.json()) as Record<string, string>;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(accepted.headers.get('location')).toBe(`/pictures/${id}`);
    expect(await (await fetch(`${address}/pictures/${id}`)).json()).toEqual({ state: 'open', done: 0 });
    expect((await fetch(`${address}${place}`)).status).toBe(404);
    const stream = await fetch(`${address}${events}`);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    work(paintWhite);
    const told = await stream.text();
    expect(told).toMatch(/event: step\ndata: {"done":0.5,"loss":0.5.*}\n\n/);
    expect(told).toMatch(new RegExp(`event: done\ndata: {"picture":"${place}"}\n\n$`));
    const painted = await fetch(`${address}${place}`);
    expect(painted.headers.get('content-type')).toBe('image/png');
    expect((await sharp(Buffer.from(await painted.arrayBuffer())).metadata()).width).toBe(8);
    const again = await (await fetch(`${address}${events}`)).text();
    expect(again).toBe(`retry: 2000\n\nevent: done\ndata: {"picture":"${place}"}\n\n`);
    expect(await (await fetch(`${address}/pictures/${id}`)).json()).toEqual({
      state: 'done',
      picture: place,
    });
    expect((await queue.get(id))?.queued.job).toMatchObject({
      settings: { size: 64, iterations: 2 },
      content: join(folder, id, 'content'),
      output: join(folder, id, 'picture.png'),
    });
  });

  it('says that a job failed by its code only, which holds no path', async () => {
    await start();
    work(async ({ job }): Promise<BatchRecord> => {
      const error = { name: 'ImageError', code: 'DAMAGED' as const, message: `content ${folder} is damaged` };
      return { ...job, state: 'failed', inputs: {}, seconds: 0, ended: '', library: '0', error };
    });
    const { id, events } = (await (await post(both())).json()) as Record<string, string>;
    expect(await (await fetch(`${address}${events}`)).text()).toMatch(
      /event: failed\ndata: {"code":"DAMAGED"}\n\n$/,
    );
    const status = await (await fetch(`${address}/pictures/${id}`)).text();
    expect(status).toBe('{"state":"failed","code":"DAMAGED"}');
  });

  it('writes uploads under names of its own, whatever the client calls them', async () => {
    await start();
    const { id } = (await (await post(both())).json()) as { id: string };
    expect(await readdir(folder)).toEqual([id]);
    expect((await readdir(join(folder, id))).sort()).toEqual(['content', 'style']);
  });

  it.each<[string, number, () => Readonly<Record<string, Blob | string>>]>([
    ['what is no picture', 415, () => ({ ...both(), style: new Blob(['<svg/>']) })],
    ['a picture of too many pixels', 415, () => both()],
    ['a file that is too large', 413, () => ({ ...both(), content: new Blob([new Uint8Array(60_000)]) })],
    ['a form without a style', 400, () => ({ content: picture })],
    ['fields that it does not know', 400, () => ({ ...both(), weights: '/etc/passwd' })],
    ['a file that it does not know', 400, () => ({ content: picture, output: picture })],
    ['a third file', 413, () => ({ ...both(), output: picture })],
    ['a size beyond the limit', 400, () => ({ ...both(), size: '5000' })],
    ['a size that is no number', 400, () => ({ ...both(), size: '1e9' })],
  ])('refuses %s with %d, and keeps nothing of it', async (name, status, fields) => {
    await start({ fileBytes: 50_000, pixels: name.includes('pixels') ? 1000 : 10_000 });
    const refused = await post(fields());
    expect(refused.status).toBe(status);
    expect(await refused.json()).toEqual({ error: expect.any(String) });
    expect(await readdir(folder)).toEqual([]);
    expect((await queue.counts()).waiting).toBe(0);
  });

  it.each(['..%2F..%2Fetc%2Fpasswd', '%2e%2e', `${'0'.repeat(31)}/`, 'x'.repeat(32), '0'.repeat(32), '%00'])(
    'knows no job %s',
    async (id) => {
      await start();
      await writeFile(join(folder, 'picture.png'), 'secret');
      for (const what of ['', '/events', '/picture'])
        expect((await fetch(`${address}/pictures/${id}${what}`)).status).toBe(404);
    },
  );

  it('answers 429 to an address that asks too often, and 503 when too much waits', async () => {
    await start({ requestsAMinute: 3, waitingJobs: 1 });
    expect((await post(both())).status).toBe(202);
    const full = await post(both());
    expect(full.status).toBe(503);
    expect(full.headers.get('retry-after')).toBe('10');
    expect((await post({})).status).toBe(503);
    expect((await post({})).status).toBe(429);
  });

  it('receives no more uploads at once than it may, also of clients that come together', async () => {
    const slow = slowQueue();
    await start({ uploadsAtOnce: 2 }, slow.queue);
    const statuses: number[] = [];
    const posts = Array.from({ length: 6 }, async () => statuses.push((await post(both())).status));
    await expect.poll(() => slow.asked() + statuses.length, { timeout: 20_000 }).toBe(6);
    slow.answer();
    await Promise.all(posts);
    expect(statuses.sort()).toEqual([202, 202, 503, 503, 503, 503]);
  });

  /** Sends the beginning of an upload. */
  async function beginning(bytes: number): Promise<ClientRequest> {
    const whole = new Response(form(both()));
    const body = Buffer.from(await whole.arrayBuffer());
    const headers = {
      'content-type': whole.headers.get('content-type') ?? '',
      'content-length': body.length,
    };
    const begun = httpRequest(`${address}/pictures`, { method: 'POST', headers });
    begun.on('error', () => {});
    await new Promise<void>((sent) => begun.write(body.subarray(0, bytes), () => sent()));
    return begun;
  }

  const empty = async () => {
    for (;;) {
      if ((await readdir(folder)).length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  it('keeps nothing of an upload that breaks', async () => {
    await start();
    const broken = await beginning(1000);
    while ((await readdir(folder)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    broken.destroy();
    await empty();
    expect((await post(both())).status).toBe(202);
  });

  it('has room for others when a client leaves before its upload is read', async () => {
    const slow = slowQueue();
    await start({ uploadsAtOnce: 1 }, slow.queue);
    const gone = new Promise((resolve) => {
      app.server.once('request', (request) => request.once('close', resolve));
    });
    const left = await beginning(1000);
    await expect.poll(slow.asked, { timeout: 20_000 }).toBe(1);
    left.destroy();
    await gone;
    slow.answer();
    await expect.poll(async () => (await post(both())).status, { timeout: 20_000, interval: 200 }).toBe(202);
  });

  it('ends an upload that takes too long, and keeps nothing of it', async () => {
    await start({ uploadMs: 300 });
    const slow = await beginning(1000);
    const ended = new Promise<string>((resolve) => {
      slow
        .once('response', ({ statusCode }) => resolve(`${statusCode}`))
        .once('close', () => resolve('closed'));
    });
    expect(['408', 'closed']).toContain(await ended);
    await empty();
    await app.close();
    await start();
    expect((await post(both())).status).toBe(202);
  });

  it('ends the events of its clients when it stops', async () => {
    await start();
    const { events } = (await (await post(both())).json()) as Record<string, string>;
    const stream = await fetch(`${address}${events}`);
    await app.close();
    expect(await stream.text()).toBe('retry: 2000\n\n');
  });

  it('removes what it has kept long enough, and nothing that a job still needs', async () => {
    await start({ keepMs: 12_000 });
    const { id, picture: place } = (await (await post(both())).json()) as Record<string, string>;
    const makeOld = () => utimes(join(folder, id), 0, 0);
    await makeOld();
    // It looks twice a second.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await readdir(folder)).toEqual([id]);
    work(paintWhite);
    await (await fetch(`${address}/pictures/${id}/events`)).text();
    await makeOld();
    await empty();
    expect((await fetch(`${address}${place}`)).status).toBe(410);
  });
});
