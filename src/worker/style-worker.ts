import { ComputationError, InvalidArgumentError } from '../errors';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import { type LaunchOptions, launch, type StartedWorker } from './launch';
import {
  type FetchWeightsOptions,
  type StyleWorkerOptions,
  type WorkerStyleTransfer,
  workerBackends,
} from './options';
import { startProgram } from './program-text';
import { fetchWeightsBy, type RunArguments, startRun, type WorkerTask } from './style-run';
import type { WorkerStylize } from './stylize-options';
import { stylizeBy } from './stylize-run';

/** A worker that paints. */
export interface StyleWorker {
  /**
   * Settles when the worker has started. Rejects with an EnvironmentError, `WORKER_UNAVAILABLE` or the backend's own,
   * if it does not; so do its runs.
   */
  readonly ready: Promise<void>;
  /**
   * Paints in this worker. Runs of a worker are done one after the other, and keep the network loaded for the next
   * one with the same weights.
   */
  readonly styleTransfer: WorkerStyleTransfer;
  /**
   * Paints by a generator in this worker, in turn with its runs.
   */
  readonly stylize: WorkerStylize;
  /**
   * Fetches weights into the page's cache, so that later runs find them: for a download beside a run, with its own
   * progress.
   *
   * @param options what to fetch: `weights` (default `'vgg19'`), as deep as `preset` needs
   * @throws WeightsError if they cannot be obtained
   */
  fetchWeights(options?: FetchWeightsOptions): Promise<void>;
  /** Ends the worker and frees its memory. Runs that have not ended reject with `WORKER_LOST`. Safe to call twice. */
  terminate(): void;
  /** `terminate()`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Starts a Web Worker that paints, to keep its network loaded between runs, to choose its backend or to end it.
 *
 * @param options see {@link StyleWorkerOptions}
 * @returns the worker, which starts at once; it belongs to the caller, who ends it by `terminate()`
 * @throws InvalidArgumentError if an option is unknown or not accepted
 * @example
 * ```ts
 * const worker = createStyleWorker();
 * const { bitmap } = await worker.styleTransfer(photograph, painting, 1, 1e6);
 * worker.terminate();
 * ```
 */
export function createStyleWorker(options: StyleWorkerOptions = {}): StyleWorker {
  return styleWorkerOn((settings) => launch(settings, startProgram), options);
}

/** {@link createStyleWorker} with what starts the worker. */
export function styleWorkerOn(
  start: (options: LaunchOptions) => Promise<StartedWorker>,
  options: StyleWorkerOptions,
): StyleWorker {
  requireKnownOptions('createStyleWorker', options, ['backend', 'worker', 'wasmPaths', 'startLimit']);
  const { backend = 'wasm', worker, wasmPaths, startLimit = 30_000 } = options;
  requireName('backend', backend, workerBackends);
  requireNumber('startLimit', startLimit, { min: 1, max: 2 ** 31 - 1 });
  if (wasmPaths !== undefined && backend !== 'wasm') throw pathsOf(backend);

  const tasks = new Map<number, WorkerTask>();
  const end = new AbortController();
  let started: StartedWorker | undefined;
  let loss: ComputationError | undefined;
  let runs = 0;
  let last: Promise<unknown> = Promise.resolve();

  const lose = (error: ComputationError): void => {
    loss ??= error;
    for (const task of [...tasks.values()]) task.lose(loss);
  };
  const begin = async (): Promise<void> => {
    started = await start({ backend, worker, wasmPaths, startLimit, signal: end.signal });
    started.onlost = (why, cause) => lose(lost(why, cause));
    started.onmessage = (message) => {
      if ('run' in message) tasks.get(message.run)?.receive(message);
    };
  };
  const ready = begin();
  // The runs report it; a worker that nobody uses or asks must not end a program by an unhandled rejection.
  ready.catch(() => {});

  const hostOf = (turn: Promise<unknown>) => {
    const run = ++runs;
    const free = turn.then(() => {
      if (loss) throw loss;
    });
    // A run that ends before its turn waits for it no more.
    free.catch(() => {});
    return {
      run,
      turn: free,
      post: (message: Parameters<StartedWorker['post']>[0], transfer?: Transferable[]) => {
        if (!loss) started?.post(message, transfer);
      },
      listen(task: WorkerTask | undefined) {
        if (task) tasks.set(run, task);
        else tasks.delete(run);
        if (task && loss) task.lose(loss);
      },
    };
  };

  const terminate = (): void => {
    const error = lost('was ended by terminate()');
    end.abort(error);
    started?.terminate();
    lose(error);
  };
  const styleTransfer = (...args: unknown[]) => {
    const before = last;
    const run = startRun(hostOf(ready.then(() => before)), args as unknown as RunArguments);
    last = Promise.allSettled([before, run]);
    return run;
  };
  const stylize: WorkerStylize = (...args) => {
    const before = last;
    const picture = stylizeBy(hostOf(ready.then(() => before)), ...args);
    last = Promise.allSettled([before, picture]);
    return picture;
  };
  return {
    ready,
    styleTransfer: styleTransfer as WorkerStyleTransfer,
    stylize,
    fetchWeights: (given: FetchWeightsOptions = {}) => fetchWeightsBy(hostOf(ready), given),
    terminate,
    [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: terminate,
  } as StyleWorker;
}

/** @param why the reason, as a predicate of 'The worker' */
function lost(why: string, cause?: unknown): ComputationError {
  const accepted = 'another worker, by createStyleWorker()';
  return new ComputationError(
    'WORKER_LOST',
    `The worker ${why}; a run in it has no result. Take ${accepted}.`,
    {
      option: 'worker',
      value: why,
      accepted,
      cause,
    },
  );
}

function pathsOf(backend: string): InvalidArgumentError {
  const accepted = "the backend 'wasm', or no wasmPaths";
  return new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `wasmPaths has no effect on the backend '${backend}'; accepted: ${accepted}.`,
    { option: 'wasmPaths', accepted },
  );
}
