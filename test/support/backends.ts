import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe } from 'vitest';
import { measurePrecision } from './precision';

/** A backend of tfjs that the suites run on. */
export type BackendName = 'cpu' | 'wasm' | 'webgl' | 'webgpu';

/** Those that Node has without a download; in a page, those that start there. */
export const backends: readonly BackendName[] =
  typeof document === 'undefined' ? ['cpu', 'wasm'] : (await import('../browser/page-backends')).pageBackends;

/**
 * Whether a backend computes on a graphics processor, which tests have in software: read-backs and new shapes take it
 * long.
 */
export const isGpu = (backend: BackendName): boolean => backend === 'webgl' || backend === 'webgpu';

/** Runs the tests that `define` makes on every backend. */
export function onEachBackend(define: (backend: BackendName) => void): void {
  describe.each(backends)('on %s', (backend) => {
    beforeAll(async () => {
      await tf.setBackend(backend);
      await tf.ready();
      await measurePrecision();
    });
    define(backend);
  });
}
