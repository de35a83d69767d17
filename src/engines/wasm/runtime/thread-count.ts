import { nodeModule } from './node-module';
import { hardwareThreads, physicalCores } from './physical-cores';

/** Threads that are started unless a number is asked for: beyond, all of them wait for memory. */
const mostByDefault = 8;

/** Threads where no number is asked for: one a core, at most 8; one where threads cannot share memory. */
export function defaultThreads(): number {
  return canShareMemory() ? Math.min(mostByDefault, physicalCores()) : 1;
}

/**
 * The largest number of threads that may be asked for: 8, or as many as the processor has hardware threads, at most 64.
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
