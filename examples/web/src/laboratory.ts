import type { PresetName } from 'tfjs-style-transfer';
import type { ImageEvaluation } from 'tfjs-style-transfer/metrics';
import type { Answer, Question } from './laboratory.worker';

let worker: Worker | undefined;
const waiting = new Map<number, { resolve(value: never): void; reject(reason: Error): void }>();
let count = 0;

/** Measures a painted picture, away from the page's thread. */
export function measure(pictures: {
  readonly image: ImageData;
  readonly content: Blob;
  readonly style: Blob;
}): Promise<ImageEvaluation> {
  return ask({ kind: 'measure', ...pictures });
}

/** Whether the browser's cache has VGG-19 as deep as a preset reads it. */
export async function isFetched(preset: PresetName): Promise<boolean> {
  // The worker is large, and on a first visit the answer is known without it.
  if (typeof caches === 'undefined' || !(await caches.has('tfjs-style-transfer'))) return false;
  return ask({ kind: 'is-fetched', preset });
}

function ask<T>(question: Question): Promise<T> {
  worker ??= start();
  count += 1;
  const id = count;
  worker.postMessage({ id, question });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

function start(): Worker {
  const started = new Worker(new URL('./laboratory.worker.ts', import.meta.url), { type: 'module' });
  started.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const { resolve, reject } = waiting.get(data.id) ?? {};
    waiting.delete(data.id);
    if (data.error === undefined) resolve?.(data.value as never);
    else reject?.(new Error(data.error));
  });
  started.addEventListener('error', ({ message }) => {
    worker = undefined;
    for (const { reject } of waiting.values()) reject(new Error(message || 'The worker did not start.'));
    waiting.clear();
  });
  return started;
}
