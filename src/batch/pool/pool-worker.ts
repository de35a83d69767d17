import { parentPort, workerData } from 'node:worker_threads';
import type { Shared, StyleTargets } from '../../transfer/style-targets';
import { recordOf } from '../../worker/error-record';
import { type JobContext, jobContext } from '../job-context';
import { jobEvent } from '../painter';
import { planJob, runJob } from '../run-job';
import type { SharedNumbers } from '../shared-weights';
import type { FromWorker, ToWorker, WorkerStart } from './protocol';

/** The program of a worker thread: paints one job after the other, with one network. */
const port = parentPort as NonNullable<typeof parentPort>;
const { memory } = workerData as WorkerStart;
const post = (message: FromWorker) => port.postMessage(message);

let context: { readonly threads: number; readonly jobs: JobContext } | undefined;
let abort = new AbortController();
/** Waits of the job in progress, by what they wait for. */
const waits = new Map<string, (message: ToWorker) => void>();

const answerOf = (name: string): Promise<ToWorker> => new Promise((resolve) => waits.set(name, resolve));

/** @returns whether something waited for it */
function answer(name: string, message: ToWorker): boolean {
  waits.get(name)?.(message);
  return waits.delete(name);
}

/** What all workers share: one of them computes. */
const shared: Shared<SharedNumbers> = {
  async get(key, compute) {
    post({ type: 'needs-shared', key });
    const message = await answerOf(key);
    if (message.type === 'shared' && message.numbers) return message.numbers;
    try {
      const numbers = inSharedMemory(await compute());
      post({ type: 'computed', key, numbers });
      return numbers;
    } catch (error) {
      post({ type: 'computed', key, numbers: undefined });
      throw error;
    }
  },
};

const targets: StyleTargets = {
  get: async (key, compute) =>
    (await shared.get(key, async () => ({ arrays: (await compute()) as SharedNumbers['arrays'] }))).arrays,
};

/** The numbers in memory that all threads can read, so that no thread has a copy of its own. */
function inSharedMemory({ arrays, facts }: SharedNumbers): SharedNumbers {
  const entries = Object.entries(arrays).map(([name, values]) => {
    const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
    copy.set(values);
    return [name, copy] as const;
  });
  return { arrays: Object.fromEntries(entries), facts };
}

/** The context for a number of threads. Another number takes the network with it. */
function contextFor(threads: number): JobContext {
  if (context?.threads !== threads) {
    context?.jobs.dispose();
    context = { threads, jobs: jobContext({ threads, memory, targets, weights: shared }) };
  }
  return context.jobs;
}

async function work({
  type,
  job,
  threads,
}: Extract<ToWorker, { readonly job: unknown }>): Promise<FromWorker> {
  abort = new AbortController();
  const { signal } = abort;
  const jobs = contextFor(threads);
  try {
    if (type === 'plan') return { type: 'plan', bytes: await planJob(job, jobs, { signal }) };
    const onPlanned = async (bytes: number) => {
      post({ type: 'needs-room', bytes });
      await answerOf('room');
    };
    const record = await runJob(
      job,
      { ...jobs, onPlanned },
      {
        signal,
        onProgress(event) {
          const told = jobEvent(job, event);
          if (told) post({ type: 'progress', event: told });
        },
      },
    );
    return { type: 'record', record };
  } catch (error) {
    return { type: 'failed', error: recordOf(error) };
  }
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'abort') {
    abort.abort();
    // A job that waits for room or for others goes on to its end, which the signal is.
    for (const name of [...waits.keys()]) answer(name, message);
  } else if (message.type === 'shared') {
    const { key, numbers } = message;
    // The job that asked is over: the others must not wait for what nobody computes here.
    if (!answer(key, message) && !numbers) post({ type: 'computed', key, numbers });
  } else if (message.type === 'room') answer('room', message);
  else void work(message).then(post);
});
post({ type: 'ready' });
