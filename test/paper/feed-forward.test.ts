import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TrainedNetworks } from '../../scripts/paper/feed-forward';
import { useWasm } from '../../src/node';

const style = resolve('examples/images/style.jpg');
const silent = { line() {}, training() {} };

let folder: string;
beforeAll(async () => {
  await useWasm({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'paper-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(['ulyanov', 'johnson'] as const)(
  'trains the network of %s, and keeps it for the next call',
  async (system) => {
    const { signal } = new AbortController();
    const options = { folder, steps: 1, size: 32, weights: 'embedded', signal, progress: silent };
    const first = new TrainedNetworks(options);
    const trained = await first.trained(system, style);
    expect(trained).toMatchObject({ steps: 1, fingerprint: await first.fingerprint(system, style) });
    first.dispose();
    const again = new TrainedNetworks(options);
    expect((await again.trained(system, style)).seconds).toBe(trained.seconds);
    again.dispose();
    expect((await readdir(folder)).filter((name) => name.includes(system))).toHaveLength(2);
  },
  120_000,
);
