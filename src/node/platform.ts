import type { Platform } from '../platform';
import { type NodeImageInput, nodeImageReader } from './image-input';
import { nodePlatform } from './node-weights';
import { useWasm } from './use-wasm';

/**
 * Node: image files beside what every platform takes, weights from paths, environment variables and the cache on disk,
 * and wasm as the backend of programs that set up none.
 */
export const platform: Platform<NodeImageInput> = {
  ...nodeImageReader,
  // A path has a dot or a slash; a word without either is a name, perhaps a misspelt one.
  namesImage: (text) => /[./\\]/.test(text),
  // Environment variables may change between runs.
  get weights() {
    return nodePlatform();
  },
  startBackend: () => useWasm(),
};
