import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { openQueue } from '../src/batch/queue/job-queue';
import type { QueuedJob } from '../src/batch/queue/queued-job';
import { RedisServer } from '../test/support/redis-server';
import type { SimulatedWorkers } from './queue-workers';

/**
 * `npm run bench:queue`: how many jobs a second the queue itself can hand out. Times of jobs that were recorded are
 * replayed against a real Redis server by simulated workers, each with connections of its own, which sleep instead of
 * painting. The times are then divided, until the queue is slower than the workers. A row has the jobs a second that
 * the workers could paint and those that they were given, while the second to the ninth tenth of the jobs ended, and
 * the processor time of Redis for a job.
 */
const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '100,1000' },
    /** What the recorded times are divided by. */
    faster: { type: 'string', default: '1,4,16,64' },
    /** Seconds that a row takes at least. */
    seconds: { type: 'string', default: '12' },
    /** JSON lines with a field `seconds` each: the manifest of a batch. */
    times: { type: 'string', default: 'bench/queue-times.jsonl' },
  },
});
const numbers = (list: string) => list.split(',').map(Number);

const recorded = readFileSync(values.times, 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { seconds: number }).seconds);
const mean = recorded.reduce((sum, seconds) => sum + seconds, 0) / recorded.length;
console.log(`${recorded.length} recorded jobs, ${mean.toFixed(2)} s on average\n`);

const redis = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'everysec']);
const cells = ['workers', 's a job', 'jobs/s, workers', 'jobs/s, measured', 'of it', "Redis' ms a job"];
console.log(`| ${cells.join(' | ')} |\n|${'---|'.repeat(cells.length)}`);
for (const workers of numbers(values.workers))
  for (const faster of numbers(values.faster)) {
    const row = await simulate(workers, faster);
    console.log(`| ${row.join(' | ')} |`);
  }
await redis.stop();

async function simulate(workers: number, faster: number): Promise<string[]> {
  const url = redis.url(`w${workers}-${faster}`);
  const seconds = recorded.map((time) => time / faster);
  const offered = (workers * faster) / mean;
  const count = Math.round(Math.max(workers * 4, offered * Number(values.seconds)));
  const client = new Redis(redis.port);
  const queue = await openQueue(url);
  const processes = await start({ url, workers, seconds });
  const before = await cpuSeconds(client);
  const ends: number[] = [];
  for await (const _ of queue.submit(jobs(count))) ends.push(performance.now());
  const cpu = (await cpuSeconds(client)) - before;
  for (const one of processes) one.disconnect();
  await Promise.all(processes.map((one) => new Promise((resolve) => one.once('exit', resolve))));
  await queue.close();
  client.disconnect();
  const [from, to] = [Math.floor(count * 0.1), Math.floor(count * 0.9)];
  const measured = ((to - from) * 1000) / (ends[to] - ends[from]);
  return [
    `${workers}`,
    (mean / faster).toFixed(3),
    offered.toFixed(1),
    measured.toFixed(1),
    (measured / offered).toFixed(2),
    ((cpu * 1000) / count).toFixed(2),
  ];
}

function* jobs(count: number): Generator<QueuedJob> {
  for (let i = 0; i < count; i++) {
    const files = { content: `photos/photo-${i}.jpg`, style: 'style.jpg', output: `out/photo-${i}.png` };
    yield { job: { id: `job-${i}`, ...files, settings: { seed: i } }, batch: 'out' };
  }
}

/** Workers in processes of at most 250, once all are connected. */
async function start(simulated: SimulatedWorkers) {
  const processes = Math.ceil(simulated.workers / 250);
  return Promise.all(
    Array.from({ length: processes }, async () => {
      const one = fork('bench/queue-workers.ts', [], { execArgv: process.execArgv });
      one.send({ ...simulated, workers: simulated.workers / processes } satisfies SimulatedWorkers);
      await new Promise((resolve, reject) => {
        one.once('message', resolve);
        one.once('exit', (code) => reject(new Error(`simulated workers ended with ${code}`)));
      });
      return one;
    }),
  );
}

async function cpuSeconds(client: Redis): Promise<number> {
  const text = await client.info('cpu');
  const used = [...text.matchAll(/used_cpu_(?:sys|user):([\d.]+)/g)];
  return used.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}
