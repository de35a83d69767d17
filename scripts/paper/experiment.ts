import { mkdir } from 'node:fs/promises';
import type { FeatureExtractor } from '../../src/features/extractor';
import { readImage } from '../../src/node/read-image';
import { writeImage } from '../../src/node/write-image';
import { getPreset } from '../../src/transfer/presets';
import { type StyleTransferResult, styleTransfer } from '../../src/transfer/style-transfer';
import { type ImagePair, imageName } from './find-images';
import type { ExperimentProgress } from './progress';
import { fileHash, fingerprint, type RunRecord, readRecord, runFiles, writeRecord } from './run-record';
import type { System } from './systems';

/** Everything that the experiment is to do. */
export interface Experiment {
  readonly pairs: readonly ImagePair[];
  readonly systems: readonly System[];
  /** Longer side in pixels, of content and style alike. */
  readonly size: number;
  readonly iterations: number;
  /** The network for a system; stays the caller's. */
  extractorFor(system: System): Promise<FeatureExtractor>;
  /** Where records and pictures of runs are kept. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly progress: ExperimentProgress;
}

/** Runs every system on every pair, except those that an earlier call has finished with the same settings. */
export async function runExperiment(experiment: Experiment): Promise<RunRecord[]> {
  const { pairs, systems, folder, progress, signal } = experiment;
  await mkdir(folder, { recursive: true });
  const records: RunRecord[] = [];
  progress.begin(pairs.length * systems.length);
  for (const pair of pairs) {
    for (const system of systems) {
      signal.throwIfAborted();
      const run = { content: imageName(pair.content), style: imageName(pair.style), system: system.id };
      const files = runFiles(folder, run);
      const extractor = await experiment.extractorFor(system);
      const expected = await fingerprintOf(experiment, pair, system, extractor);
      const earlier = await readRecord(files.record, expected);
      progress.run(run);
      const record =
        earlier ?? (await runOnce(experiment, pair, { ...run, fingerprint: expected }, extractor));
      records.push(record);
      progress.done(record, earlier !== undefined);
    }
  }
  return records;
}

async function fingerprintOf(
  { size, iterations }: Experiment,
  { content, style }: ImagePair,
  system: System,
  extractor: FeatureExtractor,
): Promise<string> {
  const images = [await fileHash(content), await fileHash(style)];
  return fingerprint(images, size, iterations, getPreset(system.id), extractor.weights, extractor.engine);
}

async function runOnce(
  { size, iterations, folder, signal, progress }: Experiment,
  pair: ImagePair,
  run: Pick<RunRecord, 'content' | 'style' | 'system' | 'fingerprint'>,
  extractor: FeatureExtractor,
): Promise<RunRecord> {
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(thing: T): T => {
    owned.push(thing);
    return thing;
  };
  try {
    const content = own(await readImage(pair.content, { size }));
    const style = own(await readImage(pair.style, { size }));
    const transfer = styleTransfer(content, style, {
      preset: run.system,
      extractor,
      size,
      iterations,
      signal,
      onProgress: (event) => {
        if (event.type === 'step') progress.step(event);
      },
    });
    const result = own(await transfer);
    const files = runFiles(folder, run);
    await writeImage(result.image, files.picture);
    const record = recordOf(run, result);
    await writeRecord(files.record, record);
    return record;
  } finally {
    for (const thing of owned) thing.dispose();
  }
}

function recordOf(
  run: Pick<RunRecord, 'content' | 'style' | 'system' | 'fingerprint'>,
  result: StyleTransferResult,
): RunRecord {
  const { evaluations, iterations, elapsedMs, stopReason, loss, terms, history, engine, backend, weights } =
    result;
  return {
    ...run,
    evaluations,
    iterations,
    seconds: elapsedMs / 1000,
    stopReason,
    loss,
    terms,
    history: history.map((entry) => ({ evaluations: entry.evaluations, loss: entry.loss })),
    engine,
    backend,
    weights,
  };
}
