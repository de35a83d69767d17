import { platform } from '../node/platform';
import { backendOf, type Computing, startBackend, usesThreads } from '../node/start-backend';
import { type SharedWork, shareWork } from '../transfer/shared-work';
import { type Shared, type StyleTargets, targetsInMemory } from '../transfer/style-targets';
import type { JobSettings } from './job';
import { type SharedNumbers, sharedWeights } from './shared-weights';

/** Options of {@link jobContext}. */
export interface JobContextOptions {
  /** Threads of the wasm engine, or of tfjs on wasm. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /** Bytes of memory that the program may take. @default the machine's */
  readonly memory?: number | undefined;
  /** Targets of styles that others share. @default targets of this context */
  readonly targets?: StyleTargets | undefined;
  /** Weights of networks that others share. @default weights of this context */
  readonly weights?: Shared<SharedNumbers> | undefined;
  /**
   * Called before a job takes the memory that it has planned; the job waits for it. What it throws ends the job.
   *
   * @param bytes at the peak, beside the program itself
   */
  readonly onPlanned?: ((bytes: number, signal?: AbortSignal) => void | Promise<void>) | undefined;
}

/** What jobs that are painted one after the other have in common: the network, and the targets of styles. */
export interface JobContext extends Pick<JobContextOptions, 'memory' | 'onPlanned'> {
  readonly work: Pick<SharedWork<never>, 'load' | 'extractor'>;
  /**
   * Makes the backend active that a job computes on.
   *
   * @throws EnvironmentError `NO_BACKEND` if it does not run here
   */
  begin(settings: JobSettings): Promise<Computing>;
  /** Frees the network and its threads. Safe to call twice. */
  dispose(): void;
}

/** Makes a context, which belongs to the caller. The network is loaded by the first job. */
export function jobContext({
  threads,
  targets = targetsInMemory(),
  weights,
  ...options
}: JobContextOptions = {}): JobContext {
  let active: { readonly key: string; readonly computing: Computing } | undefined;
  // Contents are painted once or a few times; to hold them all would take memory without end.
  const {
    load: loadHere,
    extractor,
    dispose,
  } = shareWork(platform, () => false, {
    // Backends differ in last digits.
    get: (key, compute) => targets.get(`${active?.key} ${key}`, compute),
  });
  const load: typeof loadHere = async (on, given) =>
    loadHere(on, weights ? { ...given, weights: await sharedWeights(weights, on, given) } : given);
  return {
    ...options,
    work: { load, extractor },
    async begin(settings) {
      const backend = backendOf(settings.backend, settings.settings);
      const { engine = settings.settings?.options.engine } = settings;
      const key = `${backend}, ${engine ?? 'auto'}`;
      if (active?.key !== key) {
        // The network holds tensors of its backend, which another one does not know.
        dispose();
        active = undefined;
        const used = usesThreads(backend, engine) ? threads : undefined;
        active = { key, computing: await startBackend(backend, engine, used) };
      }
      return active.computing;
    },
    dispose,
  };
}
