import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { withId } from '../src/batch/job-id';
import { pool } from '../src/batch/pool/pool';

/**
 * Pictures a minute of a pool by its workers and their threads: `npm run bench:batch -- 128,256 [pictures] [rounds]`.
 * The time from the first record to the last, of as many pictures as each worker has paints, without the start of the
 * threads; each configuration in turn, the best of the rounds.
 */
const [sizes = '128,256', pictures = '6', rounds = '3'] = process.argv.slice(2);
const configurations = [
  { workers: 1, threads: 1 },
  { workers: 1, threads: 2 },
  { workers: 2, threads: 1 },
] as const;
const folder = await mkdtemp(join(tmpdir(), 'bench-batch-'));

/** Pictures a minute of one run. */
async function pace(size: number, { workers, threads }: (typeof configurations)[number]): Promise<number> {
  const jobs = Array.from({ length: Number(pictures) + workers }, (_, seed) =>
    withId({
      content: 'examples/images/content.jpg',
      style: 'examples/images/style.jpg',
      output: join(folder, `${seed}.png`),
      settings: { weights: 'embedded', size, iterations: 20, scales: 1, seed },
    }),
  );
  const ends: number[] = [];
  for await (const record of pool({ workers, threads }).paint(jobs, {})) {
    if (record.state === 'failed') throw new Error(record.error.message);
    ends.push(performance.now());
  }
  // The first picture of each worker waits for the worker, its network and the style's targets.
  const first = ends[workers - 1];
  return (60_000 * (ends.length - workers)) / ((ends.at(-1) as number) - first);
}

console.log(`${cpus()[0].model}, ${cpus().length} processors, load ${loadavg()[0].toFixed(1)}`);
for (const size of sizes.split(',').map(Number)) {
  const best = configurations.map(() => 0);
  for (let round = 0; round < Number(rounds); round++)
    for (const [i, configuration] of configurations.entries())
      best[i] = Math.max(best[i], await pace(size, configuration));
  for (const [i, { workers, threads }] of configurations.entries())
    console.log(`${size} px, ${workers} x ${threads} threads: ${best[i].toFixed(1)} pictures a minute`);
}
console.log(`load ${loadavg()[0].toFixed(1)}`);
await rm(folder, { recursive: true });
