import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchPair, BatchProgress, BatchRecord } from '../../src/batch';
import { hasRedis, RedisServer } from '../support/redis-server';

/**
 * The queue with everything real: the built package, a Redis server, three workers, each a process with a thread that
 * paints. Faults come after a number of pictures and pauses from a seeded generator, so that a slow machine meets as
 * many as a fast one.
 */
const built = existsSync('dist/batch.js') && existsSync('dist/cli.js');
const seed = Number(process.env.FAULT_SEED ?? 7);
const env = { ...process.env, TFJS_STYLE_TRANSFER_WEIGHTS: 'embedded' };

let state = seed;
/** Uniform numbers in [0, 1): a linear congruential generator (Numerical Recipes, 7.1). */
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(!built || !hasRedis)('a queue with workers in processes', () => {
  let folder: string;
  let pairs: readonly BatchPair[];
  let batch: typeof import('../../src/batch').batch;
  const workers: ChildProcess[] = [];

  beforeAll(async () => {
    ({ batch } = await import(pathToFileURL(resolve('dist/batch.js')).href));
    folder = mkdtempSync(join(tmpdir(), 'queue-'));
    mkdirSync(join(folder, 'in'));
    const draw = async (name: string, hue: number) => {
      const pixels = Uint8Array.from(
        { length: 48 * 40 * 3 },
        (_, k) => (k * (3 + hue) + ((k * k) >> 6)) & 255,
      );
      const image = sharp(pixels, { raw: { width: 48, height: 40, channels: 3 } }).blur(1.5);
      await image.png().toFile(join(folder, 'in', name));
    };
    const contents = Array.from({ length: 20 }, (_, i) => `photo-${i}.png`);
    const styles = ['a', 'b', 'c'].map((name) => `style-${name}.png`);
    for (const [i, name] of [...contents, ...styles].entries()) await draw(name, i);
    pairs = contents.flatMap((content) =>
      styles.map((style) => ({ content: join(folder, 'in', content), style: join(folder, 'in', style) })),
    );
  });
  afterAll(() => {
    for (const worker of workers) worker.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const settings = { size: 48, iterations: 2, weights: 'embedded' } as const;
  const hashesIn = (name: string) =>
    Object.fromEntries(
      readdirSync(join(folder, name))
        .filter((file) => file.endsWith('.png'))
        .map((file) => {
          const bytes = readFileSync(join(folder, name, file));
          return [file, createHash('sha256').update(bytes).digest('hex')];
        }),
    );

  /** Starts a worker and waits until it takes jobs; again and again, as a supervisor does, while Redis is away. */
  async function startWorker(url: string, attempts = 30): Promise<ChildProcess> {
    const flags = ['--queue', url, '--jobs', '1', '--threads', '1', '--lost-after', '2', '--json'];
    const worker = spawn(process.execPath, ['dist/cli.js', 'work', ...flags], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    workers.push(worker);
    let said = '';
    const started = await new Promise<boolean>((settle) => {
      worker.stderr?.on('data', (text) => {
        said += text;
        if (said.includes('"ready"')) settle(true);
      });
      worker.once('exit', () => settle(false));
    });
    if (started) return worker;
    if (attempts === 1 || !said.includes('QUEUE_UNAVAILABLE')) throw new Error(said);
    await pause(200);
    return startWorker(url, attempts - 1);
  }

  it('paints each picture once, with the bits of a run without faults, while workers and Redis are killed', async () => {
    const untroubled: BatchRecord[] = [];
    for await (const record of batch({ pairs, output: join(folder, 'plain'), settings }))
      untroubled.push(record);
    expect(untroubled.filter(({ state }) => state === 'done')).toHaveLength(60);

    const redis = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always']);
    const url = redis.url('faults');
    const alive = await Promise.all([startWorker(url), startWorker(url), startWorker(url)]);
    const moves: BatchProgress[] = [];
    const onProgress = (event: BatchProgress) => {
      if (event.type === 'waiting') moves.push(event);
    };
    const faults: Promise<void>[] = [];
    const killOne = async () => {
      await pause(random() * 300);
      const i = Math.floor(random() * alive.length);
      const [victim] = alive.splice(i, 1, await startWorker(url));
      victim.kill('SIGKILL');
    };
    const records: BatchRecord[] = [];
    for await (const record of batch({
      pairs,
      output: join(folder, 'out'),
      settings,
      queue: url,
      onProgress,
    })) {
      records.push(record);
      if (records.length % 6 === 0 && records.length < 60) faults.push(killOne());
      if (records.length === 20) {
        await redis.kill();
        await pause(500);
        await redis.restart();
      }
    }
    await Promise.all(faults);

    expect(records.map(({ state }) => state)).toEqual(Array(60).fill('done'));
    expect(new Set(records.map(({ output }) => output)).size).toBe(60);
    // A worker that is killed while it writes leaves a hidden file, which later writers remove.
    const files = readdirSync(join(folder, 'out')).filter(
      (name) => !name.startsWith('.tfjs-style-transfer-'),
    );
    expect(files.sort()).toEqual([...Object.keys(hashesIn('plain')), 'manifest.jsonl'].sort());
    expect(hashesIn('out')).toEqual(hashesIn('plain'));
    expect(faults.length).toBe(9);
    // Workers were killed in the middle of their work, or the test would show nothing.
    expect(moves).toContainEqual(expect.objectContaining({ reason: 'lost' }));

    // The same batch again paints nothing: the manifest has it, and without the manifest the queue.
    const again: BatchRecord[] = [];
    const options = { pairs, output: join(folder, 'out'), settings, queue: url };
    for await (const record of batch(options)) again.push(record);
    expect(again.map(({ state }) => state)).toEqual(Array(60).fill('kept'));
    rmSync(join(folder, 'out/manifest.jsonl'));
    for (const worker of workers) worker.kill('SIGKILL');
    again.length = 0;
    for await (const record of batch(options)) again.push(record);
    expect(again.map(({ state }) => state)).toEqual(Array(60).fill('done'));
    await redis.stop();
  });

  it('is followed from another terminal after the program that submitted its pictures was killed', async () => {
    const redis = await RedisServer.start();
    const url = redis.url('resume');
    const out = join(folder, 'resumed');
    const start = (args: readonly string[]) => {
      const child = spawn(process.execPath, ['dist/cli.js', 'batch', '--queue', url, '-o', out, ...args], {
        env,
      });
      const said = { stdout: '', stderr: '' };
      child.stdout.on('data', (text) => {
        said.stdout += text;
      });
      child.stderr.on('data', (text) => {
        said.stderr += text;
      });
      return { child, said, code: new Promise((ended) => child.once('close', ended)) };
    };
    const until = async (condition: () => boolean) => {
      while (!condition()) await pause(20);
    };
    const styles = ['--style', join(folder, 'in/style-a.png'), '--size', '48', '--iterations', '2'];
    const submitting = start(['--content', join(folder, 'in/photo-1?.png'), ...styles]);
    await until(() => submitting.said.stderr.split('"submitted"').length === 11);
    submitting.child.kill('SIGKILL');
    await submitting.code;

    const following = start(['--resume', '--json']);
    await until(() => following.said.stderr.includes('"type":"batch"'));
    expect(following.said.stdout).toBe('');
    await startWorker(url);
    expect(await following.code).toBe(0);
    const lines = following.said.stdout.trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as BatchRecord);
    expect(records.map(({ state }) => state)).toEqual(Array(10).fill('done'));
    expect(records.map(({ output }) => output).sort()).toEqual(
      Object.keys(hashesIn('resumed')).map((name) => join(out, name)),
    );
    for (const type of ['started', 'step', 'picture'])
      expect(following.said.stderr).toContain(`{"type":"${type}","picture":"${out}/photo-1`);
    // Who comes later gets all of them at once, and without workers.
    expect(await start(['--resume']).code).toBe(0);
    await redis.stop();
  });

  it('gets back the picture of a worker that is asked to stop, and its code is that of the signal', async () => {
    const redis = await RedisServer.start();
    const url = redis.url('stop');
    const worker = await startWorker(url);
    const exited = new Promise((resolve) => worker.once('exit', (code, signal) => resolve(signal ?? code)));
    let asked = false;
    const moves: BatchProgress[] = [];
    const long = { ...settings, size: 96, iterations: 500, tolerance: 0 };
    const painting = new AbortController();
    const following = (async () => {
      const onProgress = (event: BatchProgress) => {
        if (event.type === 'waiting') {
          moves.push(event);
          painting.abort(new Error('seen'));
        }
        // A second signal would end it at once.
        if (event.type === 'step' && !asked) asked = worker.kill('SIGTERM');
      };
      const { signal } = painting;
      const one = { pairs: pairs.slice(0, 1), output: join(folder, 'stopped'), settings: long, queue: url };
      for await (const _ of batch({ ...one, signal, onProgress }));
    })();
    await expect(following).rejects.toThrow('seen');
    expect(moves).toMatchObject([{ type: 'waiting', reason: 'returned' }]);
    // Which of both depends on whether threads were still ending; shells show both as 143.
    expect([143, 'SIGTERM']).toContain(await exited);
    await redis.stop();
  });
});
