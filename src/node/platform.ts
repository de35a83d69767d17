import { totalmem } from 'node:os';
import type { Platform } from '../platform';
import { type NodeImageInput, nodeImageReader } from './image-input';
import { sharpVersion } from './load-sharp';
import { nodePlatform } from './node-weights';
import { openGeneratorFile, openStyleFile } from './style-files';
import { useWasm } from './use-wasm';

/**
 * The platform Node: image files as inputs, weights from paths, environment variables and the cache on disk, and wasm
 * as the backend of programs that have not set up one.
 */
export const platform: Platform<NodeImageInput> = {
  ...nodeImageReader,
  // A text with a dot or a slash is a path; without, it is the name of a start, perhaps misspelt.
  namesImage: (text) => /[./\\]/.test(text),
  openStyle: openStyleFile,
  openGenerator: openGeneratorFile,
  // Environment variables may change between runs.
  get weights() {
    return nodePlatform();
  },
  memory: machineMemory,
  startBackend: () => useWasm(),
  decoder: sharpVersion,
};

/** The machine's memory, or the limit of the container that the process runs in. */
export function machineMemory(): number {
  // 0, undefined or more than the machine has where there is no limit; Node 20 has it since 20.12.
  const limit = process.constrainedMemory?.() || Number.POSITIVE_INFINITY;
  return Math.min(limit, totalmem());
}
