import type { Engine, GeneratorProgram, LoadedGenerator } from '../engine';

/**
 * The network as operations of tfjs, on whatever backend is active: for webgl, webgpu and tfjs-node.
 *
 * @example
 * ```ts
 * const extractor = await loadVgg19({ engine: tfjs() });
 * ```
 */
export function tfjs(): Engine {
  return {
    name: 'tfjs',
    unsupported: () => undefined,
    suits: () => true,
    async load(network) {
      // Imported lazily, so that programs that compute with the wasm engine never load it.
      const { createTfjsExtractor } = await import('./tfjs-extractor');
      return createTfjsExtractor(network);
    },
    loadGenerator: loadTfjsGenerator,
  };
}

/** A feed-forward network as operations of tfjs. */
export async function loadTfjsGenerator(generator: LoadedGenerator): Promise<GeneratorProgram> {
  const { createTfjsGenerator } = await import('./generator/tfjs-generator');
  return createTfjsGenerator(generator);
}
