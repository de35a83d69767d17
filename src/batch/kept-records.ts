import { convolutionsUpTo, deepestLayer } from '../features/vgg19/layers';
import { nodeWeights } from '../node/node-weights';
import { defaultPreset, getPreset, presetLayers } from '../transfer/presets';
import { hashNow } from './hash-now';
import type { BatchRecord, DoneRecord, Job, JobSettings } from './job';
import type { Manifest } from './manifest';

/**
 * The records of those jobs that are done: their last record says so, the files that were read and the picture have
 * still the same bytes, and the weights that would be found are from the same source.
 *
 * @returns records by the ids of the jobs
 */
export async function keptRecords(
  jobs: readonly Job[],
  manifest: Pick<Manifest, 'record'>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, DoneRecord>> {
  const hashOf = once((place) => hashNow(place, signal));
  const weightsOf = once((key) => weightsNow(JSON.parse(key) as JobSettings));
  const kept = new Map<string, DoneRecord>();
  for (const job of jobs) {
    signal?.throwIfAborted();
    const record: BatchRecord | undefined = manifest.record(job.id);
    if (record?.state !== 'done') continue;
    const { options } = job.settings.settings ?? {};
    const { preset = options?.preset, weights = options?.weights } = job.settings;
    const found = await weightsOf(JSON.stringify({ preset, weights }));
    if (found !== undefined && found !== record.weights) continue;
    const hashes: Readonly<Record<string, string>> = { ...record.inputs, [job.output]: record.sha256 };
    if (await every(Object.entries(hashes), async ([place, hash]) => (await hashOf(place)) === hash))
      kept.set(job.id, { ...record, state: 'kept' });
  }
  return kept;
}

/** The source of weights that a run would find now; undefined if it would find none. */
async function weightsNow({ preset = defaultPreset, weights }: JobSettings): Promise<string | undefined> {
  const layers = convolutionsUpTo(deepestLayer(presetLayers(getPreset(preset))) ?? 'conv3_1');
  return nodeWeights(weights, { layers }).then(
    ({ name }) => name,
    () => undefined,
  );
}

/** A function whose results are held by its argument. */
function once<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const held = new Map<string, Promise<T>>();
  return (key) => {
    const found = held.get(key) ?? work(key);
    held.set(key, found);
    return found;
  };
}

async function every<T>(values: readonly T[], test: (value: T) => Promise<boolean>): Promise<boolean> {
  for (const value of values) if (!(await test(value))) return false;
  return true;
}
