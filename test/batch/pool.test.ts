import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BatchRecord, Job } from '../../src/batch/job';
import { withId } from '../../src/batch/job-id';
import type { BatchProgress } from '../../src/batch/painter';
import { type PoolOptions, pool } from '../../src/batch/pool/pool';
import { poolSize } from '../../src/batch/pool/pool-size';
import { PooledWorker } from '../../src/batch/pool/pooled-worker';
import type { ToWorker } from '../../src/batch/pool/protocol';
import { Room } from '../../src/batch/pool/room';
import { startPoolWorker } from '../../src/batch/pool/start-pool-worker';
import { bundleCommand } from '../support/bundled-command';
import { pictureFolder } from '../support/command-line-folder';

const path = pictureFolder();
const settings = { weights: 'embedded', size: 32, iterations: 2 } as const;
const jobOf = (name: string, changes: Partial<Omit<Job, 'id'>> = {}) =>
  withId({
    content: path('content.png'),
    style: path('style.jpg'),
    output: path(`out/${name}.png`),
    settings,
    ...changes,
  });
let bundle: Awaited<ReturnType<typeof bundleCommand>>;
beforeAll(async () => {
  bundle = await bundleCommand();
});
afterAll(() => rm(bundle.folder, { recursive: true }));

/** A pool whose threads start in a moment, with a program that is one file. */
const bundledPool = (options: PoolOptions = {}) =>
  pool({ program: join(bundle.folder, 'pool-worker.js'), ...options });

async function paintAll(jobs: readonly Job[], options: PoolOptions = {}) {
  const events: BatchProgress[] = [];
  const records: BatchRecord[] = [];
  for await (const record of bundledPool(options).paint(jobs, { onProgress: (event) => events.push(event) }))
    records.push(record);
  return { events, records };
}

describe('a pool', () => {
  test('paints all jobs by several workers, and a bad picture is a record among them', async () => {
    await writeFile(path('bad.png'), 'no picture');
    const good = Array.from({ length: 5 }, (_, i) =>
      jobOf(`a${i}`, { settings: { ...settings, init: 'noise', seed: i } }),
    );
    const bad = jobOf('bad', { content: path('bad.png') });
    const { events, records } = await paintAll([bad, ...good], { workers: 2 });
    expect(records).toHaveLength(6);
    const states = Object.fromEntries(records.map(({ id, state }) => [id, state]));
    expect(states[bad.id]).toBe('failed');
    for (const { id } of good) expect(states[id]).toBe('done');
    expect(events[0]).toMatchObject({ type: 'pool', workers: 2, bytes: expect.any(Number) });
    const steps = events.filter(({ type }) => type === 'step');
    expect(steps.length).toBeGreaterThanOrEqual(3 * good.length);
  });

  test('reads the weights and computes the targets of a style once for all workers', async () => {
    const computes = vi.spyOn(PooledWorker.prototype, 'computeShared');
    const gives = vi.spyOn(PooledWorker.prototype, 'giveShared');
    const jobs = [0, 1, 2, 3].map((seed) => jobOf(`b${seed}`, { settings: { ...settings, seed } }));
    const { records } = await paintAll(jobs, { workers: 2 });
    expect(records.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);
    const isWeights = ([key]: readonly [string, ...unknown[]]) => key.startsWith('["weights"');
    const counts = [computes, gives].map(({ mock: { calls } }) => {
      const ofWeights = calls.filter(isWeights).length;
      return { ofWeights, ofTargets: calls.length - ofWeights };
    });
    // The first worker loads the network for the plan already.
    expect(counts).toEqual([
      { ofWeights: 1, ofTargets: 1 },
      { ofWeights: 4, ofTargets: 3 },
    ]);
    vi.restoreAllMocks();
  });

  test('goes on with another worker when one dies, and only its picture is lost', async () => {
    // Ends the thread that is told to paint the picture of this name.
    const dying = `import { parentPort } from 'node:worker_threads';
      parentPort?.on('message', ({ type, job }) => type === 'paint' && /dies/.test(job.output) && process.exit(3));`;
    const execArgv = ['--import', `data:text/javascript,${encodeURIComponent(dying)}`];
    const { records } = await paintAll([jobOf('a'), jobOf('dies'), jobOf('c')], { workers: 1, execArgv });
    expect(records.map(({ state }) => state)).toEqual(['done', 'failed', 'done']);
    expect(records[1]).toMatchObject({ error: { code: 'WORKER_LOST', name: 'ComputationError' } });
  });

  test('ends what runs when it is aborted, or nobody wants the records any more', async () => {
    const long = [0, 1, 2].map((seed) =>
      jobOf(`c${seed}`, { settings: { ...settings, iterations: 100_000, seed } }),
    );
    const reason = new Error('enough');
    const controller = new AbortController();
    const onProgress = ({ type }: BatchProgress) => type === 'step' && controller.abort(reason);
    const records = bundledPool({ workers: 2 }).paint(long, { signal: controller.signal, onProgress });
    await expect(records[Symbol.asyncIterator]().next()).rejects.toBe(reason);

    for await (const record of bundledPool({ workers: 1 }).paint([jobOf('d'), ...long], {})) {
      expect(record.state).toBe('done');
      break;
    }
    const failure = new Error('of the listener');
    const failing = bundledPool({ workers: 1 }).paint(long, {
      onProgress() {
        throw failure;
      },
    });
    await expect(failing[Symbol.asyncIterator]().next()).rejects.toBe(failure);
  });

  test('is answered by a thread whose job no longer wants what it is told to compute', async () => {
    const program = join(bundle.folder, 'pool-worker.js');
    const worker = await startPoolWorker({ memory: undefined }, { program });
    worker.postMessage({ type: 'shared', key: 'style', numbers: undefined } satisfies ToWorker);
    expect((await once(worker, 'message'))[0]).toEqual({
      type: 'computed',
      key: 'style',
      numbers: undefined,
    });
    await worker.terminate();
  });

  test('paints the others when the network of some jobs cannot be had', async () => {
    const job = jobOf('e', { settings: { ...settings, weights: path('none') } });
    const { records, events } = await paintAll([job, { ...job, id: 'again' }, jobOf('f')], { workers: 1 });
    expect(events[0]).toMatchObject({ type: 'pool', bytes: expect.any(Number) });
    expect(records.map(({ state }) => state)).toEqual(['failed', 'failed', 'done']);
    expect(records[0]).toMatchObject({ error: { name: 'WeightsError', code: 'FILE_NOT_FOUND' } });
  });

  test('says at once what is no fault of a picture', async () => {
    const job = jobOf('e', { settings: { ...settings, weights: path('none') } });
    await expect(paintAll([job, { ...job, id: 'again' }])).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      name: 'WeightsError',
    });
    const noProgram = bundledPool({ execArgv: ['--import', 'data:text/javascript,throw 1'] });
    await expect(noProgram.paint([job], {})[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'WORKER_UNAVAILABLE',
    });
  });
});

describe('the size of a pool', () => {
  const needs = { jobs: 100, cores: 8, memory: 16e9, bytes: 1e9 };
  test.each([
    ['a worker of one thread a core', {}, { workers: 8, threads: 1 }],
    ['threads for the cores that pictures leave', { jobs: 3 }, { workers: 3, threads: 2 }],
    ['as many workers as memory suffices for', { memory: 4e9 }, { workers: 3, threads: 2 }],
    ['one where not even one fits', { memory: 1e9 }, { workers: 1, threads: 8 }],
    ['what was asked for', { workers: 5 }, { workers: 5, threads: 1 }],
    ['no more than there are pictures', { workers: 5, jobs: 2 }, { workers: 2, threads: 4 }],
    ['workers for the threads that were asked for', { threads: 4 }, { workers: 2, threads: 4 }],
  ])('is %s', (_, changes, size) => {
    expect(poolSize({ ...needs, ...changes })).toEqual(size);
  });
});

describe('room for workers', () => {
  test('is given in turn, to those that fit beside what others hold, and to one alone in any case', async () => {
    const room = new Room<string>(10);
    const got: string[] = [];
    const take = (worker: string, bytes: number) =>
      void room.take(worker, bytes).then(() => got.push(worker));
    const settled = () => new Promise((done) => setTimeout(done));
    take('a', 6);
    take('b', 6);
    take('c', 1);
    await settled();
    expect(got).toEqual(['a']);
    room.release('a');
    await settled();
    // Memory of WebAssembly that a has taken stays with it; alone, b gets room all the same.
    expect(got).toEqual(['a', 'b']);
    room.forget('a');
    await settled();
    expect(got).toEqual(['a', 'b', 'c']);
  });
});
