import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { batch } from '../../../src/batch/batch';
import type { BatchRecord, DoneRecord, Job } from '../../../src/batch/job';
import { withId } from '../../../src/batch/job-id';
import type { BatchProgress } from '../../../src/batch/painter';
import { queuePainter } from '../../../src/batch/queue/queue-painter';
import type { QueuedJob } from '../../../src/batch/queue/queued-job';
import { serveQueue } from '../../../src/batch/queue/serve-queue';
import { hasRedis, RedisServer } from '../../support/redis-server';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

describe.skipIf(!hasRedis)('jobs that are painted by a queue', () => {
  let redis: RedisServer;
  let folder: string;
  let url: string;
  let seen: QueuedJob[];
  let prefixes = 0;
  const place = (name: string) => join(folder, name);
  /** As someone would type it in this process's folder. */
  const typed = (name: string) => relative(process.cwd(), place(name));

  beforeAll(async () => {
    redis = await RedisServer.start();
    folder = mkdtempSync(join(tmpdir(), 'painter-'));
    for (const name of ['photo.png', 'style.png', 'mask.png']) writeFileSync(place(name), name);
  });
  afterAll(async () => {
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    url = redis.url(`painter-${prefixes++}`);
    seen = [];
  });

  /** Paints by a worker that writes the job's name. */
  async function paint(jobs: readonly Job[]): Promise<{ records: BatchRecord[]; events: BatchProgress[] }> {
    const stopping = new AbortController();
    const working = serveQueue(
      url,
      async (queued, { onProgress }): Promise<DoneRecord> => {
        seen.push(queued);
        const { job } = queued;
        onProgress({ iteration: 1, iterations: 1, evaluations: 1, loss: 1, done: 1, secondsLeft: 0 });
        writeFileSync(job.output, job.id);
        const facts = {
          inputs: job.inputs ?? {},
          seconds: 1,
          ended: '',
          library: '0',
          sha256: hashOf(job.id),
        };
        const run = {
          width: 8,
          height: 8,
          loss: 1,
          iterations: 1,
          evaluations: 1,
          weights: '',
          engine: 'wasm',
          embedded: true,
        };
        return { ...job, state: 'done', ...facts, ...run };
      },
      { signal: stopping.signal },
    );
    const records: BatchRecord[] = [];
    const events: BatchProgress[] = [];
    const onProgress = (event: BatchProgress) => void events.push(event);
    for await (const record of queuePainter({ queue: url, batch: 'b' }).paint(jobs, { onProgress }))
      records.push(record);
    stopping.abort();
    await working;
    return { records, events };
  }

  const jobOf = (changes: Partial<Job> = {}) =>
    withId({
      content: typed('photo.png'),
      style: [typed('style.png'), place('style.png')],
      output: typed('out.png'),
      settings: { size: 48, init: 'noise', regions: [{ content: typed('mask.png') }] },
      preview: { output: typed('out.png.preview.jpg'), seconds: 1 },
      ...changes,
    });

  it('reach the workers with absolute paths and hashes, and come back as they were named', async () => {
    const job = jobOf();
    const { records, events } = await paint([job]);
    expect(seen).toMatchObject([
      {
        batch: 'b',
        job: {
          content: place('photo.png'),
          style: [place('style.png'), place('style.png')],
          output: place('out.png'),
          preview: { output: place('out.png.preview.jpg'), seconds: 1 },
          settings: { size: 48, init: 'noise', regions: [{ content: place('mask.png') }] },
          inputs: Object.fromEntries(
            ['photo.png', 'style.png', 'mask.png'].map((name) => [place(name), hashOf(name)]),
          ),
        },
      },
    ]);
    expect(records).toMatchObject([{ ...job, state: 'done' }]);
    for (const event of events) expect(event).toMatchObject({ job: { id: job.id, content: job.content } });
    expect(events.map(({ type }) => type)).toEqual(['submitted', 'started', 'step']);
  });

  it('are painted once, until the picture or a file changes', async () => {
    const job = jobOf();
    await paint([job]);
    await paint([job]);
    expect(seen).toHaveLength(1);
    writeFileSync(place('out.png'), 'something else');
    await paint([job]);
    expect(seen).toHaveLength(2);
    expect(seen[1].job.id).toBe(seen[0].job.id);
    writeFileSync(place('mask.png'), 'another mask');
    await paint([job]);
    writeFileSync(place('mask.png'), 'mask.png');
    expect(seen).toHaveLength(3);
    expect(seen[2].job.id).not.toBe(seen[0].job.id);
  });

  it('leave it to the worker to say that a file is not there', async () => {
    const { records } = await paint([jobOf({ content: typed('missing.png') })]);
    expect(records).toHaveLength(1);
    expect(Object.keys(seen[0].job.inputs ?? {}).sort()).toEqual([place('mask.png'), place('style.png')]);
  });
});

describe('batch with a queue', () => {
  it.each(['jobs', 'threads', 'memory'])("refuses %s, which is the workers'", (option) => {
    const pair = { content: 'a.png', style: 'b.png' };
    const options = { pairs: [pair], output: 'out', queue: 'redis://localhost', [option]: 2 };
    expect(() => batch(options)).toThrow(expect.objectContaining({ code: 'CONFLICTING_OPTIONS', option }));
  });
});
