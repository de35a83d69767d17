import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, RedisServer } from '../support/redis-server';

/**
 * examples/server as a process of its own, with a worker of the built package, under clients that all come at once: a
 * hundred, of which some send slowly, some break off, some send no pictures and some read their events slowly.
 */
const built = existsSync('dist/batch.js') && existsSync('dist/cli.js');
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe.skipIf(!built || !hasRedis)('examples/server under load', () => {
  let folder: string;
  let redis: RedisServer;
  let server: ChildProcess;
  let worker: ChildProcess;
  let address = '';
  /** A large file and a small one. */
  let photo: Buffer;
  let small: Buffer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'load-'));
    redis = await RedisServer.start();
    const env = {
      ...process.env,
      TFJS_STYLE_TRANSFER_WEIGHTS: 'embedded',
      QUEUE: redis.url('load'),
      FOLDER: folder,
      PORT: '0',
      REQUESTS_A_MINUTE: '1000000',
    };
    worker = spawn(
      process.execPath,
      ['dist/cli.js', 'work', '--queue', redis.url('load'), '--threads', '1', '--quiet'],
      {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const probe = pathToFileURL(resolve('test/support/memory-probe.mjs')).href;
    server = spawn(
      process.execPath,
      ['--expose-gc', '--import', probe, '--import', tsx, resolve('examples/server/main.ts')],
      { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    );
    address = await new Promise<string>((found, failed) => {
      server.stdout?.on('data', (text) => {
        const [, url] = /listening at (\S+)/.exec(String(text)) ?? [];
        if (url) found(url);
      });
      server.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
    });
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    // Of noise, so that the file is large: 1.5 MB.
    photo = await sharp({ create: { width: 800, height: 600, channels: 3, background: 'red', noise } })
      .png()
      .toBuffer();
    small = await sharp(photo).resize(48).png().toBuffer();
  });
  afterAll(async () => {
    server?.kill();
    worker?.kill();
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Body and headers of a form. */
  async function form(
    content: Uint8Array,
  ): Promise<{ body: Buffer; headers: Record<string, string | number> }> {
    const data = new FormData();
    data.set('size', '32');
    data.set('iterations', '1');
    data.set('content', new Blob([Uint8Array.from(content)]), 'content.png');
    data.set('style', new Blob([Uint8Array.from(small)]), 'style.png');
    const whole = new Response(data);
    const body = Buffer.from(await whole.arrayBuffer());
    const type = whole.headers.get('content-type') ?? '';
    return { body, headers: { 'content-type': type, 'content-length': body.length } };
  }

  /** Sends a form in pieces; breaks off after some of them. @returns status and answer; undefined if it broke off */
  async function send(
    content: Uint8Array,
    { pieces = 1, breakAfter = Number.POSITIVE_INFINITY, pauseMs = 0 } = {},
  ) {
    const { body, headers } = await form(content);
    for (;;) {
      const request = httpRequest(`${address}/pictures`, { method: 'POST', headers, agent: false });
      const answer = new Promise<{ status: number; body: string } | undefined>((done) => {
        request.once('error', () => done(undefined));
        request.once('response', async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          done({ status: response.statusCode ?? 0, body: text });
        });
      });
      const length = Math.ceil(body.length / pieces);
      for (let i = 0; i < pieces && !request.destroyed; i++) {
        if (i === breakAfter) {
          request.destroy();
          return undefined;
        }
        await new Promise<void>((sent) =>
          request.write(body.subarray(i * length, (i + 1) * length), () => sent()),
        );
        if (pauseMs > 0) await pause(pauseMs);
      }
      request.end();
      const answered = await answer;
      // What the server asks for when too many send at once; it may close the connection before it has read all.
      if (answered !== undefined && answered.status !== 503) return answered;
      await pause(200);
    }
  }

  /** A client that gets its picture. */
  async function client(kind: number): Promise<string> {
    const slow = kind === 1 ? { pieces: 20, pauseMs: 50 } : {};
    const answer = await send(kind === 1 ? photo : small, slow);
    if (answer?.status !== 202) throw new Error(`${answer?.status} ${answer?.body}`);
    const { id, events, picture } = JSON.parse(answer.body) as Record<string, string>;
    const stream = await fetch(`${address}${events}`);
    let text = '';
    for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (kind === 2) await pause(100);
    }
    if (!text.endsWith(`event: done\ndata: {"picture":"${picture}"}\n\n`)) throw new Error(text);
    const painted = Buffer.from(await (await fetch(`${address}${picture}`)).arrayBuffer());
    const { width } = await sharp(painted).metadata();
    if (width !== 32) throw new Error(`a picture of ${width} pixels`);
    return id;
  }

  /** A hundred clients at once. @returns the ids of their pictures */
  async function hundred(): Promise<string[]> {
    const good = Array.from({ length: 30 }, (_, i) => client(i % 3));
    const broken = Array.from({ length: 40 }, (_, i) =>
      send(photo, { pieces: 30, breakAfter: 1 + (i % 29), pauseMs: 5 }),
    );
    const wrong = Array.from({ length: 30 }, () => send(Buffer.from('<html>no picture</html>')));
    expect((await Promise.all(broken)).every((answer) => answer === undefined)).toBe(true);
    expect((await Promise.all(wrong)).map((answer) => answer?.status)).toEqual(Array(30).fill(415));
    return Promise.all(good);
  }

  /** Memory of the server after a collection, in MB. */
  async function memoryMB() {
    const answer = once(server, 'message') as Promise<[NodeJS.MemoryUsage]>;
    server.send('memory');
    const [{ heapUsed, external, rss }] = await answer;
    return { heap: heapUsed / 1e6, external: external / 1e6, resident: rss / 1e6 };
  }

  it('loses nothing, keeps nothing of what it refuses, and its memory stays flat', async () => {
    const ids: string[] = [];
    const memory: Awaited<ReturnType<typeof memoryMB>>[] = [];
    for (let round = 0; round < 2; round++) {
      ids.push(...(await hundred()));
      // Uploads that broke off are removed as soon as the server notices.
      while (readdirSync(folder).length > ids.length) await pause(50);
      memory.push(await memoryMB());
    }
    expect(new Set(ids).size).toBe(30 * memory.length);
    expect(readdirSync(folder).sort()).toEqual(ids.sort());
    const told = (name: 'heap' | 'external' | 'resident') =>
      `${name} ${memory.map((one) => one[name].toFixed(1)).join(', ')}`;
    console.log(
      `server, MB after each hundred clients: ${told('heap')}; ${told('external')}; ${told('resident')}`,
    );
    // The first hundred fill caches and pools. Uploads of a hundred clients that stayed would be 50 MB and more.
    const [first, second] = memory;
    expect(second.heap - first.heap).toBeLessThan(2);
    expect(second.external - first.external).toBeLessThan(2);
    expect(second.resident - first.resident).toBeLessThan(20);
  });
});
