import type { ImageInput } from '../image/to-image';
import type { StyleRun, WorkerBackend, WorkerStyleTransfer, WorkerStyleTransferOptions } from './options';
import { createStyleWorker, type StyleWorker } from './style-worker';
import type {
  WorkerGenerator,
  WorkerStylize,
  WorkerStylizeOptions,
  WorkerStylizeResult,
} from './stylize-options';

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
 * worker for each backend, which ends when it has had nothing to do for a minute; {@link createStyleWorker} makes one
 * of your own.
 */
export const styleTransfer: WorkerStyleTransfer<StyleTransferInWorkerOptions> = (...args: unknown[]) =>
  own.styleTransfer(...args);

/** Options of {@link stylize}: those of a picture, and the worker's backend. */
export interface StylizeInWorkerOptions extends WorkerStylizeOptions {
  /**
   * The tfjs backend of the worker.
   * @default 'wasm'
   */
  readonly backend?: WorkerBackend | undefined;
}

/**
 * Paints a photograph by a generator in a Web Worker; see {@link WorkerStylize}. It shares its workers with
 * {@link styleTransfer}.
 */
export const stylize: WorkerStylize<StylizeInWorkerOptions> = (...args) => own.stylize(...args);

const own = /* @__PURE__ */ sharedWorkers(createStyleWorker);

/** {@link styleTransfer} and {@link stylize} in workers that `create` makes, one for each backend. */
export function sharedWorkers(create: typeof createStyleWorker) {
  const shared = new Map<WorkerBackend, SharedWorker>();
  const workerOn = (backend: WorkerBackend): SharedWorker => {
    const found = shared.get(backend);
    const made = found ?? share(create({ backend }), () => shared.delete(backend));
    if (!found) shared.set(backend, made);
    return made;
  };
  return {
    styleTransfer(...args: unknown[]): StyleRun {
      const at = args.findIndex((argument, i) => i > 1 && typeof argument === 'object' && argument !== null);
      const { backend = 'wasm', ...options } = (args[at] ?? {}) as StyleTransferInWorkerOptions;
      if (at >= 0) args[at] = options;
      const made = workerOn(backend);
      const run = (made.worker.styleTransfer as (...rest: unknown[]) => StyleRun)(...args);
      made.use(run);
      return run;
    },
    stylize(
      image: ImageInput,
      generator: WorkerGenerator,
      { backend = 'wasm', ...options }: StylizeInWorkerOptions = {},
    ): Promise<WorkerStylizeResult> {
      const made = workerOn(backend);
      const picture = made.worker.stylize(image, generator, options);
      made.use(picture);
      return picture;
    },
  };
}

interface SharedWorker {
  readonly worker: StyleWorker;
  /** Keeps the worker until the run has ended, and a while longer. */
  use(run: Promise<unknown>): void;
}

/** How long a worker stays without work, in milliseconds. */
const idleMs = 60_000;

/** @param forget called when the worker is to be used no more */
function share(worker: StyleWorker, forget: () => void): SharedWorker {
  let uses = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    forget();
    worker.terminate();
  };
  const rest = (error?: unknown): void => {
    uses--;
    // The next run gets another worker in place of one that is lost.
    if ((error as { code?: unknown } | undefined)?.code === 'WORKER_LOST') end();
    else if (uses === 0) timer = setTimeout(end, idleMs);
  };
  worker.ready.catch(end);
  return {
    worker,
    use(run) {
      uses++;
      clearTimeout(timer);
      run.then(() => rest(), rest);
    },
  };
}
