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
    const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
    const cores = coresAmong(numbersOf(allowed ?? ''), (cpu) =>
      fs.readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8'),
    );
    return Math.max(1, Math.min(usable, cores));
  } catch {
    // Not Linux, or a container without /sys.
    return usable;
  }
}

/** The cores that hardware threads belong to. @param siblingsOf the hardware threads of a thread's core, itself included */
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
