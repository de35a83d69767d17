import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { BatchRecord, Job } from '../../src/batch/job';
import { withId } from '../../src/batch/job-id';
import type { BatchProgress } from '../../src/batch/painter';
import { type PoolOptions, pool } from '../../src/batch/pool/pool';
import { pictureFolder } from '../support/command-line-folder';
import { sourceWorkers } from '../support/source-workers';

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
const ofSources = (options: PoolOptions = {}) => pool({ execArgv: sourceWorkers, ...options });

async function paintAll(jobs: readonly Job[], options: PoolOptions = {}) {
  const events: BatchProgress[] = [];
  const records: BatchRecord[] = [];
  for await (const record of ofSources(options).paint(jobs, { onProgress: (event) => events.push(event) }))
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
});
