import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { EnvironmentError } from '../../errors';
import { showText } from '../../options/show';
import { afterRunningFor } from '../../running-time';
import type { WorkerStart } from './protocol';

/** Options of {@link startPoolWorker}. */
export interface StartOptions {
  readonly signal?: AbortSignal | undefined;
  /** The worker's program. @default the one beside this file */
  readonly program?: string | undefined;
  /** Flags of Node for the worker. @default those of this program */
  readonly execArgv?: readonly string[] | undefined;
  /** Time limit of the start; time in which the program is suspended does not count. @default 120_000 */
  readonly limitMs?: number | undefined;
}

/**
 * Starts a worker thread of a pool and waits until it has loaded its program.
 *
 * @throws EnvironmentError `WORKER_UNAVAILABLE` if it does not start; the signal's reason
 */
export async function startPoolWorker(
  workerData: WorkerStart,
  { signal, program = programFile(), execArgv, limitMs = 120_000 }: StartOptions = {},
): Promise<Worker> {
  signal?.throwIfAborted();
  let worker: Worker;
  try {
    worker = new Worker(program, { workerData, ...(execArgv && { execArgv: [...execArgv] }) });
  } catch (cause) {
    throw unavailable(`cannot be started: ${reasonOf(cause)}`, cause);
  }
  return new Promise((resolve, reject) => {
    const onMessage = () => {
      settle();
      resolve(worker);
    };
    const onError = (cause: unknown) => fail(unavailable(`failed: ${reasonOf(cause)}`, cause));
    const onExit = (code: number) => fail(unavailable(`ended with exit code ${code}`));
    const onAbort = () => fail(signal?.reason);
    const stopTimer = afterRunningFor(limitMs, () =>
      fail(unavailable(`did not answer within ${limitMs / 1000} seconds`)),
    );
    const settle = () => {
      stopTimer();
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    const fail = (reason: unknown) => {
      settle();
      // An error that comes while it ends has no one to go to.
      worker.on('error', () => {});
      void worker.terminate();
      reject(reason);
    };
    signal?.addEventListener('abort', onAbort);
    // The first message is that it is ready.
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

/** The worker's program, a file beside this one with the same extension, in the sources as in the package. */
function programFile(): string {
  // CommonJS has no URL of its own; the build puts the file's name there.
  const own = import.meta.url.startsWith('file:') ? fileURLToPath(import.meta.url) : import.meta.url;
  return join(dirname(own), `pool-worker${extname(own)}`);
}

function unavailable(why: string, cause?: unknown): EnvironmentError {
  const accepted = 'a program that may start worker threads, and is not bundled into one file';
  return new EnvironmentError('WORKER_UNAVAILABLE', `A worker thread ${why}; needed: ${accepted}.`, {
    option: 'jobs',
    accepted,
    cause,
  });
}

const reasonOf = (error: unknown): string =>
  showText(error instanceof Error ? error.message : String(error), 200);
