import { launch, type StartOwnWorker, workerName } from '../worker/launch';
import type { StyleWorkerOptions, WorkerStyleTransfer } from '../worker/options';
import {
  type StyleTransferInWorkerOptions,
  type StylizeInWorkerOptions,
  sharedWorkers,
} from '../worker/style-transfer';
import { type StyleWorker, styleWorkerOn } from '../worker/style-worker';
import type { WorkerStylize } from '../worker/stylize-options';

/** A worker that runs this file: by a blob, because a worker's own script must come from the page's origin. */
const startThisFile: StartOwnWorker = async () => {
  const program = `import { serveStyleWorker } from ${JSON.stringify(import.meta.url)}; serveStyleWorker();`;
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const answered = () => URL.revokeObjectURL(url);
  try {
    return [new Worker(url, { name: workerName, type: 'module' }), answered];
  } catch (error) {
    answered();
    throw error;
  }
};

/** As of `tfjs-style-transfer/worker`, on the backend wasm. */
export const createStyleWorker = (options: StyleWorkerOptions = {}): StyleWorker =>
  styleWorkerOn((settings) => launch(settings, startThisFile), options);

/** As of `tfjs-style-transfer/worker`, on the backend wasm. */
export const styleTransfer: WorkerStyleTransfer<StyleTransferInWorkerOptions> = (...args: unknown[]) =>
  own.styleTransfer(...args);

/** As of `tfjs-style-transfer/worker`, on the backend wasm. */
export const stylize: WorkerStylize<StylizeInWorkerOptions> = (...args) => own.stylize(...args);

const own = /* @__PURE__ */ sharedWorkers(createStyleWorker);
