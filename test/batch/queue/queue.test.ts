import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BatchRecord, Job } from '../../../src/batch/job';
import type { BatchProgress } from '../../../src/batch/painter';
import { everyJob, type JobQueue, openQueue } from '../../../src/batch/queue/job-queue';
import type { PaintJob, QueuedJob } from '../../../src/batch/queue/queued-job';
import { serveQueue } from '../../../src/batch/queue/serve-queue';
import { EnvironmentError, ImageError } from '../../../src/errors';
import { hasRedis, RedisServer } from '../../support/redis-server';

const job = (id: string): Job => ({
  id,
  content: `photos/${id}.png`,
  style: 'style.png',
  output: `out/${id}.png`,
  settings: { size: 48 },
});
const queued = (id: string, batch = 'out/'): QueuedJob => ({ job: job(id), batch });

const done = (one: Job): BatchRecord => ({
  ...one,
  state: 'done',
  inputs: {},
  seconds: 1,
  ended: '2026-01-01T00:00:00.000Z',
  library: '0',
  sha256: 'abc',
  width: 48,
  height: 48,
  loss: 1,
  iterations: 2,
  evaluations: 3,
  embedded: true,
  weights: 'embedded',
  engine: 'wasm',
});

const failed = (one: Job, error: Error & { code?: string }): BatchRecord => {
  const { state: _, ...facts } = done(one);
  const { name, code, message } = error;
  return { ...facts, state: 'failed', error: { name, code, message } } as BatchRecord;
};

const ids = (count: number) => Array.from({ length: count }, (_, i) => `job-${i}`);

async function all(records: AsyncIterable<BatchRecord>): Promise<BatchRecord[]> {
  const list: BatchRecord[] = [];
  for await (const record of records) list.push(record);
  return list;
}

interface Working {
  readonly stop: () => unknown;
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe.skipIf(!hasRedis)('a queue', () => {
  let redis: RedisServer;
  let queue: JobQueue;
  let url = '';
  let prefixes = 0;
  const workers: Working[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    url = redis.url(`test-${prefixes++}`);
    queue = await openQueue(url);
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await queue.close();
  });

  /** Starts a worker in this thread. */
  function work(paint: PaintJob, options: { jobs?: number; lostAfter?: number } = {}): Working {
    const stopping = new AbortController();
    const ended = serveQueue(url, paint, { ...options, signal: stopping.signal });
    const worker = {
      stop() {
        stopping.abort(new Error('stopped'));
        return ended;
      },
    };
    workers.push(worker);
    return worker;
  }

  it('gives each job to one worker, and each record to who submitted it', async () => {
    const painted: string[] = [];
    const paint: PaintJob = async ({ job }) => {
      painted.push(job.id);
      return done(job);
    };
    work(paint, { jobs: 2 });
    work(paint);
    const records = await all(queue.submit(ids(40).map((id) => queued(id))));
    expect(records.map(({ id }) => id).sort()).toEqual(ids(40).sort());
    expect(painted.sort()).toEqual(ids(40).sort());
    expect(records[0]).toEqual(done(job(records[0].id)));
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, completed: 40, failed: 0 });
  });

  it('holds a job once, however often and from wherever it is submitted', async () => {
    const second = await openQueue(url);
    let painted = 0;
    const [mine, theirs] = [queue, second].map((one) => all(one.submit(ids(20).map((id) => queued(id)))));
    work(async ({ job }) => {
      painted++;
      return done(job);
    });
    expect(await mine).toHaveLength(20);
    expect(await theirs).toHaveLength(20);
    expect(await all(second.submit(ids(20).map((id) => queued(id))))).toHaveLength(20);
    expect(painted).toBe(20);
    await second.close();
  });

  it('starts a job again whose picture is gone', async () => {
    let painted = 0;
    work(async ({ job }) => {
      painted++;
      return done(job);
    });
    await all(queue.submit([queued('a'), queued('b')]));
    await all(queue.submit([queued('a'), queued('b')], { isThere: ({ id }) => id === 'a' }));
    expect(painted).toBe(3);
  });

  it('repeats with pauses what may pass, and gives up what cannot', async () => {
    const attempts: Record<string, number[]> = { passes: [], cannot: [] };
    work(async ({ job }) => {
      attempts[job.id].push(performance.now());
      if (job.id === 'cannot') return failed(job, new ImageError('NOT_AN_IMAGE', 'content is not an image.'));
      if (attempts.passes.length < 3)
        return failed(job, new ImageError('STORE_UNAVAILABLE', 'the server rests.'));
      return done(job);
    });
    const events: BatchProgress[] = [];
    const records = await all(
      queue.submit([queued('passes'), queued('cannot')], { onEvent: (event) => events.push(event) }),
    );
    expect(records.map(({ id, state }) => [id, state])).toEqual([
      ['cannot', 'failed'],
      ['passes', 'done'],
    ]);
    expect(records[0]).toMatchObject({
      content: 'photos/cannot.png',
      error: { name: 'ImageError', code: 'NOT_AN_IMAGE', message: 'content is not an image.' },
    });
    expect(attempts.cannot).toHaveLength(1);
    const [first, second, third] = attempts.passes;
    // Pauses of 1 s and 2 s, of which up to a half is left out at random.
    expect(second - first).toBeGreaterThan(499);
    expect(third - second).toBeGreaterThan(999);
    expect(events.filter(({ type }) => type === 'waiting')).toMatchObject([
      { job: { id: 'passes' }, reason: 'failed' },
      { job: { id: 'passes' }, reason: 'failed' },
    ]);
  });

  it('starts a failed job again when it is submitted again', async () => {
    let broken = true;
    work(async ({ job }) =>
      broken ? failed(job, new ImageError('NOT_AN_IMAGE', 'content is not an image.')) : done(job),
    );
    expect((await all(queue.submit([queued('a')])))[0].state).toBe('failed');
    broken = false;
    expect((await all(queue.submit([queued('a')])))[0].state).toBe('done');
  });

  it('starts a failed job again once for two who add it at the same time', async () => {
    let broken = true;
    let painted = 0;
    work(async ({ job }) => {
      if (broken) return failed(job, new ImageError('NOT_AN_IMAGE', 'content is not an image.'));
      painted++;
      return done(job);
    });
    await all(queue.submit([queued('a')]));
    broken = false;
    // Both look at the job before one of them starts it.
    await Promise.all([queue.add([queued('a')]), queue.add([queued('a')])]);
    expect((await all(queue.submit([queued('a')])))[0].state).toBe('done');
    expect(painted).toBe(1);
  });

  it('gets a job back from a worker that stops, and gives it to another first', async () => {
    const order: string[] = [];
    const events: BatchProgress[] = [];
    const records = all(
      queue.submit(
        ids(3).map((id) => queued(id)),
        { onEvent: (e) => events.push(e) },
      ),
    );
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const first = work(async ({ job }, { signal }) => {
      begun();
      order.push(`stopped ${job.id}`);
      return untilAborted(signal);
    });
    await started;
    await first.stop();
    expect(await queue.counts()).toMatchObject({ waiting: 3, active: 0, failed: 0 });
    work(async ({ job }) => {
      order.push(job.id);
      return done(job);
    });
    expect((await records).map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    expect(order).toEqual(['stopped job-0', 'job-0', 'job-1', 'job-2']);
    expect(events).toContainEqual({ type: 'waiting', job: job('job-0'), reason: 'returned' });
  });

  it('gives the job of a worker that gives no sign of life to another, and says that it was lost', async () => {
    const { Worker } = await import('bullmq');
    const events: BatchProgress[] = [];
    const records = all(queue.submit([queued('a')], { onEvent: (event) => events.push(event) }));
    // A worker that takes a job and vanishes: its lock runs out.
    let taken = () => {};
    const took = new Promise<void>((resolve) => {
      taken = resolve;
    });
    const connection = { host: '127.0.0.1', port: redis.port };
    const prefix = url.split('/').at(-1);
    const vanish = () => {
      taken();
      return new Promise(() => {});
    };
    const silent = { lockDuration: 500, skipLockRenewal: true, skipStalledCheck: true };
    const vanished = new Worker('pictures', vanish, { connection, prefix, ...silent });
    await took;
    work(async ({ job }) => done(job), { lostAfter: 1 });
    expect((await records)[0].state).toBe('done');
    expect(events.filter(({ type }) => type === 'waiting')).toEqual([
      { type: 'waiting', job: job('a'), reason: 'lost' },
    ]);
    await vanished.close(true);
  });

  it('tells who submitted a job how far it is', async () => {
    const step = { iteration: 1, iterations: 2, evaluations: 2, loss: 0.5, done: 0.5, secondsLeft: 3 };
    work(async ({ job }, { onProgress }) => {
      onProgress(step);
      // Steps are told twice a second, previews by the next one that is told.
      onProgress({ ...step, preview: 'out/preview.jpg' });
      await new Promise((over) => setTimeout(over, 510));
      onProgress({ ...step, iteration: 2 });
      return done(job);
    });
    const events: BatchProgress[] = [];
    await all(queue.submit([queued('a')], { onEvent: (event) => events.push(event) }));
    expect(events).toEqual([
      { type: 'submitted', job: job('a') },
      { type: 'started', job: job('a') },
      { type: 'step', job: job('a'), ...step },
      { type: 'step', job: job('a'), ...step, iteration: 2, preview: 'out/preview.jpg' },
    ]);
  });

  it('can be followed from elsewhere, batch by batch, without submitting anything', async () => {
    const mine = all(queue.submit([queued('a'), queued('b')]));
    const others = all(queue.submit([queued('c', 'elsewhere/')]));
    const second = await openQueue(url);
    work(async ({ job }) => done(job));
    await Promise.all([mine, others]);
    const records = await all(second.follow({ batch: 'out/' }));
    expect(records.map(({ id }) => id).sort()).toEqual(['a', 'b']);
    expect(await all(second.follow({ job: 'c' }))).toEqual([done(job('c'))]);
    expect(await second.get('c')).toEqual({ queued: queued('c', 'elsewhere/'), record: done(job('c')) });
    expect(await second.get('d')).toBeUndefined();
    expect(await all(second.follow({ batch: 'nowhere/' }))).toEqual([]);
    await second.close();
  });

  it('keeps the jobs of a submitter that leaves', async () => {
    const stopping = new AbortController();
    const leaving = all(
      queue.submit([queued('a')], { signal: stopping.signal, onEvent: () => stopping.abort('bye') }),
    );
    await expect(leaving).rejects.toBe('bye');
    work(async ({ job }) => done(job));
    expect(await all(queue.submit([queued('a')]))).toHaveLength(1);
  });

  it('tells of a job that was taken out of it by hand', async () => {
    const { Queue } = await import('bullmq');
    const { port } = redis;
    const records = all(
      queue.submit([queued('a')], {
        async onEvent({ type }) {
          if (type !== 'submitted') return;
          const by = new Queue('pictures', { connection: { port }, prefix: url.split('/').at(-1) });
          await (await by.getJob('a'))?.remove();
          await by.close();
        },
      }),
    );
    expect(await records).toMatchObject([{ id: 'a', state: 'failed', error: { code: 'MISSING' } }]);
  });
});

describe('the jobs of a queue', () => {
  /** Every job, while some move between the lists of the queue after each look at one of them. */
  async function found(
    lists: Readonly<Record<string, string[]>>,
    moves: readonly [string, string, string][],
  ) {
    let looks = 0;
    const list: string[] = [];
    const held = everyJob({
      async getRanges([state]) {
        const ids = [...(lists[state as string] ?? [])];
        for (const [id, from, to] of moves.slice(looks, ++looks)) {
          lists[from].splice(lists[from].indexOf(id), 1);
          lists[to].push(id);
        }
        return ids;
      },
      getJob: async (id) => ({ id }),
    } as Parameters<typeof everyJob>[0]);
    for await (const { id } of held) list.push(id as string);
    return list;
  }
  const lists = () => ({ delayed: ['d'], wait: ['a', 'b'], active: [], failed: [], completed: ['c'] });

  it.each<[string, [string, string, string][]]>([
    ['stay', []],
    ['go on', [['a', 'wait', 'active']]],
    [
      'go through all states',
      [
        ['a', 'wait', 'active'],
        ['a', 'active', 'failed'],
        ['a', 'failed', 'delayed'],
        ['a', 'delayed', 'wait'],
      ],
    ],
  ])('are all found when they %s meanwhile', async (_, moves) => {
    expect((await found(lists(), moves)).sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('the URL of a queue', () => {
  it.each([
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://h/a/b',
    'redis://h/a:b',
    'redis://h?x=1',
    7,
  ])('is refused before anything else: %s', async (url) => {
    const failure = openQueue(url as string);
    await expect(failure).rejects.toMatchObject({ code: 'WRONG_TYPE', option: 'queue' });
  });

  it('says what is wrong if nothing listens there, without the password', async () => {
    const failure = openQueue('redis://user:secret@127.0.0.1:1/pictures');
    await expect(failure).rejects.toBeInstanceOf(EnvironmentError);
    await expect(failure).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringMatching(/^(?!.*secret).*redis:\/\/127.0.0.1:1\/pictures.*ECONNREFUSED/),
    });
  });
});
