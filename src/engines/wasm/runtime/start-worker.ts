import { EnvironmentError } from '../../../errors';
import { showText } from '../../../options/show';
import { afterRunningFor } from '../../../running-time';
import type { KernelName } from './kernels';
import { nodeModule } from './node-module';
import { workerSource } from './worker-source';

/** The first message to a worker. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array;
  readonly names: readonly KernelName[];
  readonly thread: number;
  /** The generation of the last run before the worker starts. */
  readonly generation: number;
}

/** A worker of Node or of a page, which waits for runs. */
export interface KernelWorker {
  end(): void;
}

/** Options of {@link startWorker}. */
export interface StartWorkerOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called if the worker ends or fails after it has started. */
  readonly onLost?: ((why: string) => void) | undefined;
  /** Time limit of the start; time in which the program is suspended does not count. @default 30_000 */
  readonly limitMs?: number | undefined;
  /** The worker's program. @default {@link workerSource} */
  readonly source?: string | undefined;
}

/**
 * Starts a worker and waits until it is ready.
 *
 * @throws EnvironmentError `THREADS_UNAVAILABLE` if it cannot be started, ends, fails, or does not answer in time
 */
export async function startWorker(
  start: WorkerStart,
  { signal, onLost, limitMs = 30_000, source = workerSource }: StartWorkerOptions = {},
): Promise<KernelWorker> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    let worker: LaunchedWorker | undefined;
    let state: 'starting' | 'ready' | 'failed' = 'starting';
    const fail = (reason: unknown): void => {
      if (state !== 'starting') return;
      state = 'failed';
      settle();
      worker?.end();
      reject(reason);
    };
    const lost = (why: string, cause?: unknown): void => {
      if (state === 'ready') onLost?.(why);
      else fail(unavailable(why, cause));
    };
    const onAbort = () => fail(signal?.reason);
    const stopTimer = afterRunningFor(limitMs, () => lost(`did not answer within ${limitMs / 1000} seconds`));
    const settle = () => {
      stopTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort);
    const answer = (message: unknown): void => {
      if (message !== 'ready') lost(`failed: ${showText(String(message))}`);
      if (state !== 'starting' || !worker) return;
      state = 'ready';
      settle();
      worker.rest();
      resolve(worker);
    };
    try {
      worker = launch(source, { answer, lost });
      worker.post(start);
    } catch (cause) {
      // Node's permission model, a page's content security policy, or no memory.
      lost(`cannot be started: ${reasonOf(cause)}`, cause);
    }
  });
}

/** The error for threads that do not start. @param why the reason, as a predicate of 'A thread', for the message */
export function unavailable(why: string, cause?: unknown): EnvironmentError {
  const accepted = 'threads: 1, or threads left out, which takes as many as start';
  return new EnvironmentError('THREADS_UNAVAILABLE', `A thread ${why}; accepted: ${accepted}.`, {
    option: 'threads',
    accepted,
    cause,
  });
}

/** A worker of either platform, before it is ready. */
interface LaunchedWorker extends KernelWorker {
  post(start: WorkerStart): void;
  /** Lets the program end although the worker waits for work. */
  rest(): void;
}

interface WorkerListeners {
  answer(message: unknown): void;
  lost(why: string, cause?: unknown): void;
}

function launch(source: string, listeners: WorkerListeners): LaunchedWorker {
  const threads = nodeModule('node:worker_threads');
  return threads ? launchInNode(threads, source, listeners) : launchInPage(source, listeners);
}

function launchInNode(
  threads: typeof import('node:worker_threads'),
  source: string,
  { answer, lost }: WorkerListeners,
): LaunchedWorker {
  // Drop the parent's flags: `--input-type=module` would make Node parse this CommonJS script as a module.
  const worker = new threads.Worker(source, { eval: true, execArgv: [] });
  let ended = false;
  worker.on('message', answer);
  worker.on('error', (error) => lost(`failed: ${reasonOf(error)}`, error));
  worker.on('messageerror', (error) => lost(`cannot be told what to do: ${reasonOf(error)}`, error));
  worker.on('exit', (code) => {
    if (!ended) lost(`ended with exit code ${code}`);
  });
  return {
    post: (start) => worker.postMessage(start),
    rest: () => worker.unref(),
    end() {
      ended = true;
      // Not awaited: it never rejects, and nothing depends on the end of the thread.
      void worker.terminate();
    },
  };
}

function launchInPage(source: string, { answer, lost }: WorkerListeners): LaunchedWorker {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  let worker: Worker;
  try {
    worker = new Worker(url);
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    answer(data);
  };
  worker.onerror = (event) => {
    URL.revokeObjectURL(url);
    event.preventDefault();
    // A page's policy leaves no message.
    const why = event.message
      ? `: ${showText(event.message)}`
      : ", perhaps by a policy of the page without 'worker-src blob:'";
    lost(`failed${why}`);
  };
  return {
    post: (start) => worker.postMessage(start),
    rest: () => undefined,
    end() {
      URL.revokeObjectURL(url);
      worker.terminate();
    },
  };
}

/** The message of a thrown value, made safe for our messages. */
export const reasonOf = (error: unknown): string =>
  showText(error instanceof Error ? error.message : String(error), 200);
