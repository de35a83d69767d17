import { nodeModule } from './node-module';

/**
 * How many cores the program may use, not counting a core's second hardware thread, which has no vector units of its own. Linux tells in
 * Node; elsewhere, and in pages, every hardware thread counts.
 */
export function physicalCores(): number {
  const [os, fs] = [nodeModule('node:os'), nodeModule('node:fs')];
  if (!os || !fs) return globalThis.navigator?.hardwareConcurrency ?? 1;
  const usable = os.availableParallelism();
  try {
    const siblings = os
      .cpus()
      .map((_, cpu) =>
        fs.readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8'),
      );
    return coresAmong(siblings, usable);
  } catch {
    // Not Linux, or a container without /sys.
    return usable;
  }
}

/**
 * @param siblings for every hardware thread of the machine, those of its core, itself included
 * @param usable how many hardware threads the program may use
 */
export function coresAmong(siblings: readonly string[], usable: number): number {
  const threadsPerCore = siblings.length / Math.max(1, new Set(siblings).size);
  return Math.max(1, Math.ceil(usable / Math.max(1, threadsPerCore)));
}
