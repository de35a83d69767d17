import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendName } from '../support/backends';
import { setWasmFiles } from './wasm-files';

setWasmFiles();

/** The backends that start in this page; says which do not. */
export const pageBackends: readonly BackendName[] = await startingBackends();

/**
 * Reading from WebGPU at once gives zeros in a headless browser, and afterwards every other context of the page is
 * lost: what tries it fails instead.
 */
function forbidSynchronousReads(): void {
  const backend = tf.backend() as unknown as SynchronousReader;
  const { readSync } = backend;
  backend.readSync = function (dataId) {
    const { values, complexTensorInfos } = this.tensorMap.get(dataId);
    if (!values && !complexTensorInfos) throw new Error('A tensor on WebGPU was read synchronously.');
    return readSync.call(this, dataId);
  };
}

interface SynchronousReader {
  readSync(dataId: object): unknown;
  readonly tensorMap: { get(dataId: object): { values?: unknown; complexTensorInfos?: unknown } };
}

async function startingBackends(): Promise<BackendName[]> {
  const starting: BackendName[] = [];
  for (const backend of ['cpu', 'wasm', 'webgl', 'webgpu'] as const) {
    if (await tf.setBackend(backend).catch(() => false)) {
      if (backend === 'webgpu') forbidSynchronousReads();
      starting.push(backend);
    } else console.warn(`skipped: tests on ${backend}, which does not start in this browser`);
  }
  return starting;
}
