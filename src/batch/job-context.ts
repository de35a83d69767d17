import type { RunPlan } from '../transfer/progress';
import { type JobFiles, localFiles } from './files';
import { type KeptNetwork, keepNetwork } from './kept-network';
import { type StyleTargets, targetsInMemory } from './style-targets';

/** Options of {@link jobContext}. */
export interface JobContextOptions {
  /** Where jobs read their inputs and write their pictures. @default files of this machine */
  readonly files?: JobFiles | undefined;
  /** Threads of the wasm engine. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /** Bytes of memory that the program may take. @default the machine's */
  readonly memory?: number | undefined;
  /** Targets of styles that others share. @default targets of this context */
  readonly targets?: StyleTargets | undefined;
  /**
   * Called before a job takes the memory that it has planned, one plan a stage; the job waits for it. What it throws
   * ends the job.
   */
  readonly onPlanned?:
    | ((plans: readonly RunPlan[], signal?: AbortSignal) => void | Promise<void>)
    | undefined;
}

/** What jobs that are painted one after the other have in common: the network, and the targets of styles. */
export interface JobContext extends Omit<JobContextOptions, 'files' | 'targets'> {
  readonly files: JobFiles;
  readonly network: KeptNetwork;
  /** Frees the network and its threads. Safe to call twice. */
  dispose(): void;
}

/** Makes a context, which belongs to the caller. The network is loaded by the first job. */
export function jobContext({
  files = localFiles,
  targets = targetsInMemory(),
  ...options
}: JobContextOptions = {}): JobContext {
  const network = keepNetwork(targets);
  return { ...options, files, network, dispose: () => network.dispose() };
}
