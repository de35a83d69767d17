import { optionTable } from '../../options/table';
import { supportsSimd } from '../../wasm-simd';
import type { Engine } from '../engine';
import { relaxedSimdOption, threadsOption, type WasmEngineOptions } from './options';

const wasmOptions = optionTable<WasmEngineOptions>()('wasm', {
  threads: threadsOption,
  relaxedSimd: relaxedSimdOption,
});

/**
 * This library's own kernels in WebAssembly: for Node, and for pages without a GPU. They are loaded with the first
 * network.
 *
 * @param options see {@link WasmEngineOptions}
 * @throws InvalidArgumentError if an option is unknown or out of range; EnvironmentError `NO_RELAXED_SIMD` if relaxed
 *   SIMD is requested and missing
 * @example
 * ```ts
 * const extractor = await loadVgg19({ engine: wasm({ threads: 4 }) });
 * ```
 */
export function wasm(options: WasmEngineOptions = {}): Engine {
  const settings = wasmOptions.read(options);
  return {
    name: 'wasm',
    unsupported: () => (supportsSimd() ? undefined : 'WebAssembly with SIMD'),
    unsupportedCode: 'NO_SIMD',
    // The backends of tfjs that compute in JavaScript or wasm; GPU backends and tfjs-node keep tfjs operations.
    suits: (backend) => backend === 'cpu' || backend === 'wasm',
    async load(network, options) {
      // Imported lazily, so that programs that compute with tfjs alone never load the kernels.
      const { createWasmExtractor } = await import('.');
      return createWasmExtractor({ ...network, ...settings }, options);
    },
    async loadGenerator(network, options) {
      const { createGeneratorProgram } = await import('./generator');
      return createGeneratorProgram({ ...network, ...settings }, options);
    },
  };
}
