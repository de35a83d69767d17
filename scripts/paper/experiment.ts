import { mkdir } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureExtractor } from '../../src/features/extractor';
import { stylize } from '../../src/generators';
import { readImage } from '../../src/node/read-image';
import { writeImage } from '../../src/node/write-image';
import { owning } from '../../src/owning';
import { getPreset, type PresetName } from '../../src/transfer/presets';
import { type StyleTransferResult, styleTransfer } from '../../src/transfer/style-transfer';
import type { FeedForward } from './feed-forward';
import { type ImagePair, imageName } from './find-images';
import type { ExperimentProgress } from './progress';
import { fileHash, fingerprint, type RunRecord, readRecord, runFiles, writeRecord } from './run-record';
import { type FeedForwardId, isFeedForward, type System } from './systems';

/** Everything that the experiment is to do. */
export interface Experiment {
  readonly pairs: readonly ImagePair[];
  readonly systems: readonly System[];
  /** Longer side in pixels, of content and style alike. */
  readonly size: number;
  readonly iterations: number;
  /** The network for a system; stays the caller's. */
  extractorFor(system: System): Promise<FeatureExtractor>;
  /** Networks of systems that are trained for each style. */
  readonly feedForward: FeedForward;
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
      const extractor = isFeedForward(system.id) ? undefined : await experiment.extractorFor(system);
      const expected = await fingerprintOf(experiment, pair, system, extractor);
      const earlier = await readRecord(files.record, expected);
      progress.run(run);
      const named = { ...run, fingerprint: expected };
      const record =
        earlier ??
        (extractor
          ? await runOnce(experiment, pair, named, extractor)
          : await paintOnce(experiment, pair, named));
      records.push(record);
      progress.done(record, earlier !== undefined);
    }
  }
  return records;
}

async function fingerprintOf(
  { size, iterations, feedForward }: Experiment,
  { content, style }: ImagePair,
  { id }: System,
  extractor: FeatureExtractor | undefined,
): Promise<string> {
  const images = [await fileHash(content), await fileHash(style)];
  if (isFeedForward(id) || !extractor)
    return fingerprint(images, size, await feedForward.fingerprint(id as FeedForwardId, style));
  return fingerprint(images, size, iterations, getPreset(id), extractor.weights, extractor.engine);
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
      preset: run.system as PresetName,
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

/** One picture of a network that is trained for the style, if it is not yet. */
async function paintOnce(
  { size, folder, feedForward, signal }: Experiment,
  pair: ImagePair,
  run: Pick<RunRecord, 'content' | 'style' | 'system' | 'fingerprint'>,
): Promise<RunRecord> {
  const { open, steps, seconds } = await feedForward.trained(run.system as FeedForwardId, pair.style);
  return owning(async ({ temporary }) => {
    const content = temporary(await readImage(pair.content, { size }));
    // The first picture of a process takes what later ones do not: memory, and code that is compiled.
    temporary(await stylize(content, open, { signal }));
    const painted = temporary(await stylize(content, open, { signal }));
    const files = runFiles(folder, run);
    await writeImage(painted.image, files.picture);
    const record: RunRecord = {
      ...run,
      evaluations: 0,
      iterations: 0,
      seconds: painted.elapsedMs / 1000,
      training: { steps, seconds },
      stopReason: 'feed-forward',
      terms: {},
      history: [],
      engine: 'feed-forward',
      backend: tf.getBackend(),
      weights: open.name,
    };
    await writeRecord(files.record, record);
    return record;
  });
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
