import type { StyleRun, WorkerBackend, WorkerStyleTransfer, WorkerStyleTransferOptions } from './options';
import { createStyleWorker, type StyleWorker } from './style-worker';

/** Options of {@link styleTransfer}: those of a run, and the worker's backend. */
export interface StyleTransferInWorkerOptions extends WorkerStyleTransferOptions {
  /**
   * The tfjs backend of the worker.
   * @default 'wasm'
   */
  readonly backend?: WorkerBackend | undefined;
}

/**
 * Paints the content image in the style of another in a Web Worker; see {@link WorkerStyleTransfer}. Runs share one
 * worker for each backend, which ends when it has had nothing to do for a minute; {@link createStyleWorker} makes one of
 * your own.
 */
export const styleTransfer: WorkerStyleTransfer<StyleTransferInWorkerOptions> = (
  ...args: unknown[]
): StyleRun => {
  const given = args.find((argument, i) => i > 1 && typeof argument === 'object' && argument !== null);
  const { backend, ...options } = (given ?? {}) as StyleTransferInWorkerOptions;
  const passed = args.map((argument) => (argument === given && given !== undefined ? options : argument));
  const shared = sharedWorker(backend);
  const run = (shared.worker.styleTransfer as (...rest: unknown[]) => StyleRun)(...passed);
  shared.use(run);
  return run;
};

interface SharedWorker {
  readonly worker: StyleWorker;
  /** Keeps the worker until the run has ended, and a while longer. */
  use(run: Promise<unknown>): void;
}

const sharedWorkers = new Map<WorkerBackend, SharedWorker>();

/** How long a worker stays without work, in milliseconds. */
const idleMs = 60_000;

function sharedWorker(backend: WorkerBackend = 'wasm'): SharedWorker {
  const found = sharedWorkers.get(backend);
  if (found) return found;
  const worker = createStyleWorker({ backend });
  let uses = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = () => {
    if (sharedWorkers.get(backend) === made) sharedWorkers.delete(backend);
    worker.terminate();
  };
  const made: SharedWorker = {
    worker,
    use(run) {
      uses++;
      clearTimeout(timer);
      run.then(
        () => rest(),
        (error: unknown) => rest(error),
      );
    },
  };
  const rest = (error?: unknown): void => {
    uses--;
    // The next run gets another worker in place of one that is lost.
    if ((error as { code?: unknown } | undefined)?.code === 'WORKER_LOST') forget();
    else if (uses === 0) timer = setTimeout(forget, idleMs);
  };
  worker.ready.catch(forget);
  sharedWorkers.set(backend, made);
  return made;
}
