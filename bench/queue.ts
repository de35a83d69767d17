import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { type JobQueue, openQueue } from '../src/batch/queue/job-queue';
import type { QueuedJob } from '../src/batch/queue/queued-job';
import { RedisServer } from '../test/support/redis-server';
import type { SimulatedWorkers } from './queue-workers';
import { table } from './report';
import { digits } from './timing';

/**
 * `npm run bench:queue`: how many jobs a second the queue itself can hand out, and what Redis holds for each. Times of
 * jobs that were recorded are replayed against a real Redis server by simulated workers, each with connections of its
 * own, which sleep instead of painting. The times are then divided, until the queue is slower than the workers. Writes
 * docs/benchmarks/queue.md.
 */
const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '100,1000' },
    /** What the recorded times are divided by. */
    faster: { type: 'string', default: '1,8,32,128' },
    /** Seconds that a row takes at least. */
    seconds: { type: 'string', default: '12' },
    /** JSON lines with a field `seconds` each: the manifest of a batch. */
    times: { type: 'string', default: 'bench/queue-times.jsonl' },
    out: { type: 'string', default: 'docs/benchmarks/queue.md' },
  },
});
const numbers = (list: string) => list.split(',').map(Number);

const recorded = readFileSync(values.times, 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { seconds: number }).seconds);
const mean = recorded.reduce((sum, seconds) => sum + seconds, 0) / recorded.length;
const machine = `${cpus()[0].model.trim()}, ${availableParallelism()} processors, load ${loadavg()[0].toFixed(1)} before, Node ${process.versions.node}`;

/** A row of the table. */
interface Simulation {
  readonly workers: number;
  /** Mean of the jobs' times. */
  readonly seconds: number;
  /** Jobs a second that the workers could paint. */
  readonly offered: number;
  /** Those that they were given, while the second to the ninth tenth of the jobs ended. */
  readonly measured: number;
  /** Milliseconds of Redis' processor time for a job. */
  readonly redisMs: number;
  /** Share of one core that Redis took. */
  readonly redisShare: number;
  /** Milliseconds of the submitting program's processor time for a job. */
  readonly submitterMs: number;
}

const redis = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'everysec']);
const client = new Redis(redis.port);
const bytes = await bytesOfJobs(2000);
console.log(bytes);
const rows: Simulation[] = [];
for (const workers of numbers(values.workers))
  for (const faster of numbers(values.faster)) {
    rows.push(await simulate(workers, faster));
    console.log(rows.at(-1));
  }
const [, version = ''] = /redis_version:(\S+)/.exec(await client.info('server')) ?? [];
client.disconnect();
await redis.stop();
writeFileSync(values.out, report());
console.log(`wrote ${values.out}`);

async function simulate(workers: number, faster: number): Promise<Simulation> {
  const url = redis.url(`w${workers}-${faster}`);
  const offered = (workers * faster) / mean;
  const count = Math.round(Math.max(workers * 3, offered * Number(values.seconds)));
  const queue = await openQueue(url);
  const processes = await start({ url, workers, seconds: recorded.map((time) => time / faster) });
  const [before, own, begun] = [await cpuSeconds(), process.cpuUsage(), performance.now()];
  const ends: number[] = [];
  for await (const _ of queue.submit(jobs(count))) ends.push(performance.now());
  const cpu = (await cpuSeconds()) - before;
  const { user, system } = process.cpuUsage(own);
  const elapsed = (performance.now() - begun) / 1000;
  await stop(processes, queue);
  await client.flushall();
  const [from, to] = [Math.floor(count * 0.1), Math.floor(count * 0.9)];
  const measured = ((to - from) * 1000) / (ends[to] - ends[from]);
  return {
    workers,
    seconds: mean / faster,
    offered,
    measured,
    redisMs: (cpu * 1000) / count,
    redisShare: cpu / elapsed,
    submitterMs: (user + system) / 1000 / count,
  };
}

/** Bytes that Redis holds for a job that waits and for one that is done, and for the events of all. */
async function bytesOfJobs(count: number) {
  const url = redis.url('bytes');
  const queue = await openQueue(url);
  const before = await usedMemory();
  await queue.add([...jobs(count)]);
  const waiting = ((await usedMemory()) - before) / count;
  const processes = await start({ url, workers: 8, seconds: [0] });
  for await (const _ of queue.follow({ batch: 'out' }));
  await stop(processes, queue);
  const events = Number(await client.memory('USAGE', 'bytes:pictures:events', 'SAMPLES', 0));
  const done = ((await usedMemory()) - before - events) / count;
  await client.flushall();
  return { waiting, done, events };
}

function* jobs(count: number): Generator<QueuedJob> {
  const style = '/shared/paintings/mosaic.jpg';
  for (let i = 0; i < count; i++) {
    const content = `/shared/photos/2026/photo-${i}.jpg`;
    const inputs = { [content]: '0'.repeat(64), [style]: '1'.repeat(64) };
    const settings = { preset: 'painting', size: 512, seed: i } as const;
    const output = `/shared/out/photo-${i}-mosaic.png`;
    const id = i.toString(16).padStart(32, '0');
    yield { job: { id, content, style, output, inputs, settings }, batch: 'out' };
  }
}

type Started = Awaited<ReturnType<typeof start>>;

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

async function stop(processes: Started, queue: JobQueue): Promise<void> {
  for (const one of processes) one.disconnect();
  await Promise.all(processes.map((one) => new Promise((resolve) => one.once('exit', resolve))));
  await queue.close();
}

async function cpuSeconds(): Promise<number> {
  const used = [...(await client.info('cpu')).matchAll(/used_cpu_(?:sys|user):([\d.]+)/g)];
  return used.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
}

function report(): string {
  const percent = (part: number) => `${Math.round(100 * part)} %`;
  const lines = rows.map(({ workers, seconds, offered, measured, redisMs, redisShare }) => [
    ...[String(workers), digits(seconds), digits(offered), digits(measured), percent(measured / offered)],
    ...[digits(redisMs), percent(redisShare)],
  ]);
  const heads = [
    ...['workers', 's a job', 'jobs/s they could paint', 'jobs/s they were given', 'of it'],
    ...["Redis' ms a job", 'of a core'],
  ];
  const most = Math.max(...rows.map(({ measured }) => measured));
  const best = rows.filter(({ measured, offered }) => measured > 0.9 * offered).toSorted(byMeasured)[0];
  const busiest = Math.max(...rows.map(({ redisShare }) => redisShare));
  const cheapest = Math.min(...rows.map(({ redisMs }) => redisMs));
  const processes = Math.ceil(Math.max(...numbers(values.workers)) / 250);
  const kilobytes = (count: number) => `${(count / 1000).toFixed(1)} kB`;
  return `# The queue itself

Written by \`npm run bench:queue\`. ${machine};
Redis ${version}, \`appendonly yes\`.

${recorded.length} recorded jobs (embedded network, 64 to 128 pixels, 30 and 60 iterations, ${digits(mean)} s on average beside other work)
are replayed by simulated workers, which sleep instead of painting. Each is a worker to the queue, with connections of
its own, and notes its progress twice a second. Redis, the up to ${processes} processes of the workers and the program that submits
share this machine. In the first row of each number of workers the jobs take the recorded times, in the others parts of
them. Jobs a second are those of the second to the ninth tenth of the jobs.

${table(heads, lines).trimEnd()}

The workers get what they can paint up to ${digits(best?.measured ?? 0)} jobs a second (${best?.workers ?? 0} workers); the most that was handed out was
${digits(most)} a second. There this machine has no processor left, whose greater part goes to the simulated workers: Redis,
which computes on one core, took ${percent(busiest)} of it at most, and by its processor time ends at about ${digits(1000 / cheapest)} short jobs a
second. Long jobs cost it by their notes of progress, two a second of each worker.

A job that waits takes ${kilobytes(bytes.waiting)} of Redis' memory, one that is done ${kilobytes(bytes.done)} for the seven days that it is kept,
and the events of all jobs together some ${(bytes.events / 1e6).toFixed(0)} MB.
`;
}

const byMeasured = (a: Simulation, b: Simulation) => b.measured - a.measured;
