import { setMaxListeners } from 'node:events';
import { serveQueue } from '../src/batch/queue/serve-queue';

/** Some of the simulated workers of `bench/queue.ts`, in a process of their own. They sleep instead of painting. */
export interface SimulatedWorkers {
  readonly url: string;
  readonly workers: number;
  /** Seconds of the recorded jobs; a job's seed says which one it repeats. */
  readonly seconds: readonly number[];
}

/** Seconds between two steps of a job. */
const stepSeconds = 0.25;

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

process.once('message', async (message) => {
  const { url, workers, seconds } = message as SimulatedWorkers;
  const stopping = new AbortController();
  setMaxListeners(workers, stopping.signal);
  process.once('disconnect', () => stopping.abort());
  const serve = (i: number, onReady: () => void) =>
    serveQueue(
      url,
      async ({ job }, { onProgress }) => {
        const whole = seconds[Number(job.settings.seed) % seconds.length];
        for (let past = 0; past < whole; past += stepSeconds) {
          await sleep(Math.min(stepSeconds, whole - past));
          const done = Math.min(1, past / whole);
          onProgress({ iteration: 1, iterations: 2, evaluations: 2, loss: 1, done, secondsLeft: 1 });
        }
        const facts = {
          inputs: job.inputs ?? {},
          seconds: whole,
          ended: new Date().toISOString(),
          library: '0',
        };
        const picture = {
          sha256: '0'.repeat(64),
          width: 1,
          height: 1,
          loss: 1,
          iterations: 2,
          evaluations: 2,
        };
        return {
          ...job,
          state: 'done',
          ...facts,
          ...picture,
          weights: 'VGG-19 from https://host.example/vgg19/model.json',
          engine: 'wasm',
          threads: 1,
          embedded: false,
        };
      },
      {
        name: `${process.pid}-${i}`,
        signal: stopping.signal,
        onReady,
      },
    );
  const serving: Promise<void>[] = [];
  // One after the other: connections that are made all at once wait for each other longer than a worker does.
  for (let i = 0; i < workers; i++)
    await new Promise<void>((ready, failed) => {
      serving.push(serve(i, ready));
      serving[i].catch(failed);
    });
  process.send?.('ready');
  await Promise.all(serving);
});
