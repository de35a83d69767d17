import { platform } from '../node/platform';
import { type SharedWork, shareWork } from '../transfer/shared-work';
import type { StyleTargets } from '../transfer/style-targets';

/** Options of {@link jobContext}. */
export interface JobContextOptions {
  /** Threads of the wasm engine. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /** Bytes of memory that the program may take. @default the machine's */
  readonly memory?: number | undefined;
  /** Targets of styles that others share. @default targets of this context */
  readonly targets?: StyleTargets | undefined;
  /**
   * Called before a job takes the memory that it has planned; the job waits for it. What it throws ends the job.
   *
   * @param bytes at the peak, beside the program itself
   */
  readonly onPlanned?: ((bytes: number, signal?: AbortSignal) => void | Promise<void>) | undefined;
}

/** What jobs that are painted one after the other have in common: the network, and the targets of styles. */
export interface JobContext extends Omit<JobContextOptions, 'targets'> {
  readonly work: Pick<SharedWork<never>, 'load' | 'extractor'>;
  /** Frees the network and its threads. Safe to call twice. */
  dispose(): void;
}

/** Makes a context, which belongs to the caller. The network is loaded by the first job. */
export function jobContext({ targets, ...options }: JobContextOptions = {}): JobContext {
  // Contents are painted once or a few times; to hold them all would take memory without end.
  const { load, extractor, dispose } = shareWork(platform, () => false, targets);
  return { ...options, work: { load, extractor }, dispose };
}
