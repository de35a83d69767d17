import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readImage } from '../../src/node/read-image';
import { isImageSource, sourceBytes } from '../../src/node/source-bytes';

let folder: string;
let picture: Buffer;

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'source-bytes-'));
  picture = await sharp({ create: { width: 3, height: 2, channels: 3, background: '#336699' } })
    .png()
    .toBuffer();
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.useRealTimers());

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('should have been refused'),
    (error: unknown) => error as Error,
  );

/** What is thrown when a signal aborts after 100 ms, and how long after that. */
async function abortedAfter(work: (signal: AbortSignal) => Promise<unknown>) {
  const controller = new AbortController();
  const outcome = refusal(work(controller.signal));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const start = performance.now();
  controller.abort(new Error('enough'));
  return { error: await outcome, waitedMs: performance.now() - start };
}

describe('a Blob, a File, and bytes of another realm', () => {
  test('are read as a Buffer is', async () => {
    const bytes = Uint8Array.from(picture);
    const foreign = runInNewContext('Uint8Array.from(bytes)', { bytes: [...picture] }) as Uint8Array;
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    for (const source of [new Blob([bytes]), new File([bytes], 'a.png'), foreign]) {
      expect(isImageSource(source)).toBe(true);
      const image = await readImage(source);
      expect(image.shape).toEqual([2, 3, 3]);
      image.dispose();
    }
    expect(await refusal(readImage(new Blob([])))).toMatchObject({ name: 'ImageError', code: 'EMPTY' });
  });
});

describe.skipIf(process.platform === 'win32')('a path that is not a regular file', () => {
  const pipe = (name: string) => {
    execFileSync('mkfifo', [join(folder, name)]);
    return join(folder, name);
  };

  test('a device is refused, however many bytes it would give', async () => {
    for (const path of ['/dev/zero', '/dev/null']) {
      const error = await refusal(readImage(path));
      expect(error).toMatchObject({ name: 'ImageError', code: 'NOT_A_FILE' });
      expect(error.message).toContain('not a regular file');
    }
  });

  test('a pipe is read, also when its writer comes late', async () => {
    const path = pipe('late');
    const bytes = sourceBytes('image', path);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const writer = spawn('sh', ['-c', `cat > '${path}'`], { stdio: ['pipe', 'ignore', 'ignore'] });
    writer.stdin.end(picture);
    expect(Buffer.from(await bytes)).toEqual(picture);
  });

  test('a pipe without a writer hears an abort', async () => {
    const path = pipe('silent');
    const { error, waitedMs } = await abortedAfter((signal) => sourceBytes('image', path, signal));
    expect(error).toEqual(new Error('enough'));
    expect(waitedMs).toBeLessThan(200);
  });

  test('a pipe without a writer does not keep a program from ending', () => {
    const path = pipe('ending');
    const code = `import { sourceBytes } from './src/node/source-bytes.ts';
      void sourceBytes('image', '${path}'); setTimeout(() => process.exit(3), 300);`;
    const run = () =>
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
        timeout: 20_000,
      });
    expect(run).toThrow(expect.objectContaining({ status: 3 }));
  });

  test('an endless pipe is read up to the limit', async () => {
    const path = pipe('endless');
    const writer = spawn('sh', ['-c', `cat /dev/zero > '${path}'`], { stdio: 'ignore' });
    const error = await refusal(sourceBytes('image', path));
    writer.kill('SIGKILL');
    expect(error).toMatchObject({ name: 'ImageError', code: 'TOO_LARGE' });
    expect(error.message).toContain('at most 536870912 bytes');
  });
});

describe('a picture of a server', () => {
  async function serving<T>(
    answer: RequestListener,
    work: (url: string, server: Server) => Promise<T>,
  ): Promise<T> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['stops in the middle', (_, response) => void response.writeHead(200).write('abc')],
  ])('that %s is given up after a minute, and hears an abort before', async (_, answer) => {
    await serving(answer, async (url) => {
      const { error, waitedMs } = await abortedAfter((signal) => sourceBytes('image', url, signal));
      expect(error).toEqual(new Error('enough'));
      expect(waitedMs).toBeLessThan(200);

      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const outcome = refusal(sourceBytes('image', url));
      await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(1));
      await vi.advanceTimersByTimeAsync(60_000);
      const stalled = await outcome;
      expect(stalled).toMatchObject({ name: 'ImageError', code: 'READ_FAILED' });
      expect(stalled.message).toContain('silent for 60 s');
    });
  });

  test('that sends without end is given up at the limit of bytes', async () => {
    const megabyte = Buffer.alloc(2 ** 20);
    const endless: RequestListener = (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(megabyte));
      };
      response.on('drain', more);
      more();
    };
    const error = await serving(endless, (url) => refusal(sourceBytes('image', url)));
    expect(error).toMatchObject({ name: 'ImageError', code: 'TOO_LARGE' });
  });

  test('that trickles is given up after ten minutes', async () => {
    let drip = () => {};
    const trickling: RequestListener = (_, response) => {
      response.writeHead(200);
      drip = () => void response.write('.');
      drip();
    };
    await serving(trickling, async (url) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const outcome = refusal(sourceBytes('image', url));
      let settled = false;
      void outcome.then(() => {
        settled = true;
      });
      for (let minute = 0; !settled && minute < 30; minute++) {
        drip();
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        await vi.advanceTimersByTimeAsync(30_000);
      }
      expect((await outcome).message).toContain('longer than 600 s');
    });
  });

  test('is named without its secrets, and control characters of the server do not get through', async () => {
    const seen: unknown[] = [];
    const refuse: RequestListener = ({ url, headers }, response) => {
      seen.push(url, headers.authorization);
      response.writeHead(403, 'No \u0085 way').end();
    };
    const error = await serving(refuse, (url) =>
      refusal(sourceBytes('image', `${url.replace('//', '//user:secret@')}a.png?token=hidden`)),
    );
    expect(seen).toEqual(['/a.png?token=hidden', `Basic ${Buffer.from('user:secret').toString('base64')}`]);
    expect(error.message).toContain('403');
    expect(error.message).not.toMatch(/secret|hidden/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});
