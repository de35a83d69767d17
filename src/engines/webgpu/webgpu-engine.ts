import { optionTable } from '../../options/table';
import type { Engine } from '../engine';
import { activeDevice } from './device/tfjs-device';
import { precisionOption, tuningOption, type WebgpuEngineOptions } from './options';

const webgpuOptions = optionTable<WebgpuEngineOptions>()('webgpu', {
  precision: precisionOption,
  tuning: tuningOption,
});

/**
 * This library's own kernels on a GPU, by WebGPU: on the device of tfjs' webgpu backend, which has to be the active
 * one. An evaluation is one submission, and one small buffer is read back.
 *
 * @param options see {@link WebgpuEngineOptions}
 * @throws InvalidArgumentError if an option is unknown or not accepted
 * @example
 * ```ts
 * await tf.setBackend('webgpu');
 * const extractor = await loadVgg19({ engine: webgpu() });
 * ```
 */
export function webgpu(options: WebgpuEngineOptions = {}): Engine {
  const { precision, tuning } = webgpuOptions.read(options);
  return {
    name: 'webgpu',
    unsupported() {
      const device = activeDevice();
      if (!device) return "tfjs' backend webgpu as the active one";
      if (precision === 'float32' || device.features.has('shader-f16')) return undefined;
      return "a device with WebGPU's feature shader-f16, or precision: 'float32'";
    },
    suits: (backend) => backend === 'webgpu',
    async load(network, { cache, onWarning } = {}) {
      // Imported lazily, so that programs that compute elsewhere never load the kernels.
      const { createWebgpuExtractor } = await import('./webgpu-extractor');
      const device = activeDevice();
      if (tuning === 'table' || !device) return createWebgpuExtractor(network, { precision });
      const { openTuning } = await import('./network/tuning-file');
      const timings = await openTuning(device, precision, cache, onWarning);
      return createWebgpuExtractor(network, { precision, timings });
    },
  };
}
