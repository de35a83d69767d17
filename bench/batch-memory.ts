import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withId } from '../src/batch/job-id';
import { pool } from '../src/batch/pool/pool';
import { workerBytes } from '../src/batch/pool/pool-size';
import { table } from './report';

/**
 * Memory of a pool by the size of its pictures: `npm run bench:batch-memory -- 128,256,512`. Each row is of processes
 * of their own, with one worker and with two, of a thread each: what the second adds is a worker with its picture. The
 * default preset with VGG-19, and as many iterations as fill the history of the optimiser.
 */
const [sizes = '128,256,512', workersOfChild] = process.argv.slice(2);

/** What a process took. */
interface Taken {
  /** Most resident memory, in bytes. */
  readonly resident: number;
  /** The plan of a picture, in bytes. */
  readonly planned: number;
}

async function paint(size: number, workers: number): Promise<Taken> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-memory-'));
  const jobs = Array.from({ length: workers }, (_, seed) =>
    withId({
      content: 'examples/images/content.jpg',
      style: 'examples/images/style.jpg',
      output: join(folder, `${seed}.png`),
      settings: { size, styleSize: size, iterations: 12, scales: 1, seed },
    }),
  );
  let planned = 0;
  const onProgress = (event: { readonly type: string; readonly bytes?: number | undefined }) => {
    if (event.type === 'pool') planned = event.bytes ?? 0;
  };
  for await (const record of pool({ workers, threads: 1 }).paint(jobs, { onProgress })) {
    if (record.state === 'failed') throw new Error(record.error.message);
    if (record.embedded) throw new Error('Fetch VGG-19 first: tfjs-style-transfer weights fetch');
  }
  await rm(folder, { recursive: true });
  return { resident: process.resourceUsage().maxRSS * 1024, planned };
}

function inChild(size: number, workers: number): Taken {
  const args = [...process.execArgv, process.argv[1], `${size}`, `${workers}`];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Taken;
}

if (workersOfChild !== undefined) {
  console.log(JSON.stringify(await paint(Number(sizes), Number(workersOfChild))));
} else {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  const rows = sizes.split(',').map((size) => {
    const [one, two] = [inChild(Number(size), 1), inChild(Number(size), 2)];
    const worker = two.resident - one.resident;
    return [size, mb(one.planned), mb(one.resident), mb(worker), mb(worker - one.planned)];
  });
  console.log(
    table(
      ['size', 'MB planned a picture', 'MB with one worker', 'a second one', 'of it beside the plan'],
      rows,
    ),
  );
  console.log(`The pool counts ${mb(workerBytes)} MB for a worker beside the plan of its picture.`);
}
