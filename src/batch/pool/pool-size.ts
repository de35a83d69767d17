import { mostByDefault } from '../../engines/wasm/runtime/thread-count';

/** How many pictures a pool paints at once, and with how many threads each. */
export interface PoolSize {
  readonly workers: number;
  readonly threads: number;
}

/** What determines the size of a pool. */
export interface PoolNeeds {
  /** Pictures to paint. */
  readonly jobs: number;
  /** Cores of the processor. */
  readonly cores: number;
  /** Bytes for all workers together. */
  readonly memory: number;
  /** Bytes that a picture takes by its plan; undefined if none could be planned. */
  readonly bytes?: number | undefined;
  /** Asked for by the user. */
  readonly workers?: number | undefined;
  readonly threads?: number | undefined;
}

/**
 * Bytes of a worker beside what a picture takes by its plan: its copy of the program, and what decodes and encodes.
 * Measured by `npm run bench:batch-memory`: 136, 130 and 176 MB at 128, 256 and 512 pixels.
 */
export const workerBytes = 180e6;

/**
 * Many workers of one thread, as long as there are pictures and memory for them; what cores are left then become
 * threads of the workers. Threads of one picture wait for each other at every layer, and its reading, targets and file
 * are work of one of them.
 */
export function poolSize({ jobs, cores, memory, bytes = 0, workers, threads }: PoolNeeds): PoolSize {
  const fitting = Math.max(1, Math.floor(memory / (bytes + workerBytes)));
  const most = threads === undefined ? cores : Math.max(1, Math.floor(cores / threads));
  const count = Math.max(1, Math.min(jobs, workers ?? Math.min(most, fitting)));
  return {
    workers: count,
    threads: threads ?? Math.max(1, Math.min(mostByDefault, Math.floor(cores / count))),
  };
}
