import { nodeModule } from './node-module';

/**
 * Cores that the program may use; a core's second hardware thread, which has no vector units of its own, does not
 * count. Known only in Node on Linux; elsewhere, and in pages, every hardware thread counts as a core.
 */
export function physicalCores(): number {
  const usable = hardwareThreads();
  const fs = nodeModule('node:fs');
  try {
    const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(
      fs?.readFileSync('/proc/self/status', 'utf8') ?? '',
    )?.[1];
    const cores = coresAmong(
      numbersOf(allowed ?? ''),
      (cpu) =>
        fs?.readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8') ?? '',
    );
    return cores > 0 ? Math.min(usable, cores) : usable;
  } catch {
    // Not Linux, a container without /sys, or a program that may not read there.
    return usable;
  }
}

/** Hardware threads that the program may use. */
export function hardwareThreads(): number {
  return nodeModule('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/**
 * The number of cores that hardware threads belong to.
 * @param siblingsOf the hardware threads of a thread's core, itself included
 */
export function coresAmong(threads: readonly number[], siblingsOf: (thread: number) => string): number {
  return new Set(threads.map(siblingsOf)).size;
}

/** The numbers of a list as the kernel writes it: `0-3,8`. */
export function numbersOf(list: string): number[] {
  return list
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}
