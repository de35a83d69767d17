import { styleTransfer, useWasm } from 'tfjs-style-transfer';
import { styleTransfer as styleTransferInWorker } from 'tfjs-style-transfer/worker';

/** Runs on the page's own thread and in a worker. */
export async function program() {
  await useWasm();
  return { isolated: crossOriginIsolated, page: await run(), worker: await run(styleTransferInWorker) };
}

/** A small run that needs no file. */
export async function run(transfer = styleTransfer) {
  const options = { weights: 'embedded', init: 'noise', seed: 1, iterations: 3 };
  const { engine, backend, threads, loss, dispose } = await transfer(
    picture(31),
    picture(17),
    1,
    1e6,
    options,
  );
  dispose?.();
  return { engine, backend, threads, loss };
}

const picture = (factor) => ({
  data: Uint8ClampedArray.from({ length: 32 * 32 * 3 }, (_, i) => (i * factor + ((i * i) >> 5)) & 255),
  width: 32,
  height: 32,
  channels: 3,
});
