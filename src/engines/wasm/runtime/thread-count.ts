import { nodeModule } from './node-module';
import { hardwareThreads, physicalCores } from './physical-cores';

/** Upper limit of the default number of threads: more threads would only wait for memory. */
export const mostByDefault = 8;

/** Default number of threads, where they start: one a core, at most 8. */
export function defaultThreads(): number {
  return Math.min(mostByDefault, physicalCores());
}

/**
 * The largest accepted number of threads: 8, or as many as the processor has hardware threads, at most 64.
 * More would only wait for each other: 64 on two cores take 17 seconds to start, and 20 MB each.
 */
export function mostThreads(): number {
  return Math.min(64, Math.max(mostByDefault, hardwareThreads()));
}

/** Whether threads can share memory: in Node, and in pages that are cross-origin isolated (headers COOP and COEP). */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined' || typeof Atomics === 'undefined') return false;
  return nodeModule('node:worker_threads') !== undefined || globalThis.crossOriginIsolated === true;
}
