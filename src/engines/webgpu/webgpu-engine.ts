import type { Engine } from '../engine';
import { activeDevice } from './device/tfjs-device';

/**
 * This library's own kernels on a GPU, by WebGPU: on the device of tfjs' webgpu backend, which has to be the active
 * one. An evaluation is one submission, and one small buffer is read back.
 *
 * @example
 * ```ts
 * await tf.setBackend('webgpu');
 * const extractor = await loadVgg19({ engine: webgpu() });
 * ```
 */
export function webgpu(): Engine {
  return {
    name: 'webgpu',
    unsupported: () => (activeDevice() ? undefined : "tfjs' backend webgpu as the active one"),
    suits: (backend) => backend === 'webgpu',
    async load(network) {
      // Imported lazily, so that programs that compute elsewhere never load the kernels.
      const { createWebgpuExtractor } = await import('./webgpu-extractor');
      return createWebgpuExtractor(network);
    },
  };
}
