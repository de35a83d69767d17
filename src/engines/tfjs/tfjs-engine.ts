import type { Engine } from '../engine';
import { createTfjsExtractor } from './tfjs-extractor';

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
    load: async (network) => createTfjsExtractor(network),
  };
}
