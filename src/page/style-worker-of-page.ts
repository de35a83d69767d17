import { launch, type StartOwnWorker, workerName } from '../worker/launch';
import type { StyleWorkerOptions } from '../worker/options';
import { styleTransferBy } from '../worker/style-transfer';
import { type StyleWorker, styleWorkerOn } from '../worker/style-worker';

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
export const styleTransfer = /* @__PURE__ */ styleTransferBy(createStyleWorker);
