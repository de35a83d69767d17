import * as tf from '@tensorflow/tfjs-core';
import { version } from '../../package.json';
import type { FeatureExtractor } from '../features/extractor';
import type { LayerName } from '../features/layer-name';
import { weightsHash } from '../features/network-identity';
import type { OpenImage } from '../image/image-reader';
import { type Size, type SizeRule, sizeAfter } from '../image/size-rule';
import { readStopWhen } from '../optim/stop-rule';
import type { Platform } from '../platform';
import type { Bytes } from '../storage/byte-store';
import { sha256, sha256OfText } from '../storage/sha256';
import type { StyleFile } from '../styles/style-file';
import type { OpenedRegion } from './open-regions';
import type { OpenedStart } from './opened-start';
import { defaultOptimizer, isStartName, type Settings, styleTransferOptions } from './options';
import { packs, type StageMemory } from './plan';
import type { ProgressChannel } from './progress-channel';
import type { RunFacts } from './run-facts';
import type { Schedule } from './schedule';
import {
  type ImageRecord,
  type RecordedOptions,
  type RegionRecord,
  recordFormat,
  recordFormatVersion,
  type SettingsRecord,
  type StageRecord,
  type StyleRecord,
} from './settings-record';
import type { OpenedStyle } from './styles';

/** Options that change no picture. */
const withoutEffect = ['settings', 'threads', 'signal', 'onProgress'] as const;

/** A run that a record is made of. */
export interface RecordedRun {
  readonly settings: Settings;
  readonly extractor: FeatureExtractor;
  readonly facts: RunFacts;
  /** The deepest layer that the loss reads, if it is known. */
  readonly lastLayer: LayerName | undefined;
  readonly images: {
    readonly content: OpenImage;
    readonly styles: readonly OpenedStyle[];
    readonly init: OpenedStart | undefined;
    readonly regions?: readonly OpenedRegion[] | undefined;
    /** The styles of the call and those of regions. */
    readonly regionStyles: readonly OpenedStyle[];
  };
  readonly stages: Schedule;
  /** The memory of each stage. */
  readonly memory: readonly StageMemory[];
  /** Bytes that the memory was planned within. */
  readonly limit: number;
  /** The rule of the style images' sizes. */
  readonly styleRule: SizeRule;
  readonly platform: Pick<Platform<never>, 'decoder'>;
}

/**
 * The record of a run. If the run repeats another, a warning says why its picture may differ.
 *
 * @throws WeightsError `NOT_REPLAYABLE` if it repeats a run with other weights, and none were given
 */
export async function recordRun(run: RecordedRun, progress: ProgressChannel): Promise<SettingsRecord> {
  const record = await recordOf(run);
  const { settings } = run;
  if (settings.settings === undefined) return record;
  const { differences } = await import('./replay');
  const message = differences(settings.settings, record, settings);
  if (message !== undefined) progress.post({ type: 'warning', code: 'SETTINGS_DIFFER', message });
  return record;
}

async function recordOf(run: RecordedRun): Promise<SettingsRecord> {
  const { extractor, facts, lastLayer, images, platform } = run;
  const record: SettingsRecord = {
    format: recordFormat,
    formatVersion: recordFormatVersion,
    library: version,
    tfjs: tf.version_core,
    decoder: await platform.decoder?.(),
    engine: facts.engine,
    backend: facts.backend,
    threads: facts.threads,
    network: {
      name: extractor.name,
      embedded: facts.embedded,
      sha256: await weightsHash(extractor, lastLayer),
    },
    content: await imageRecord(images.content),
    styles: await Promise.all(images.styles.map(styleRecord)),
    init: images.init && (await startRecord(images.init)),
    regions:
      images.regions &&
      (await Promise.all(images.regions.map((region) => regionRecord(region, images.regionStyles)))),
    stages: stageRecords(run),
    ...recordedOptions(run),
  };
  // Undefined fields go, and what is left is what a file of it would give back.
  return JSON.parse(JSON.stringify(record)) as SettingsRecord;
}

/** The stages, as their memory was planned. */
function stageRecords({ stages, memory }: RecordedRun): readonly StageRecord[] {
  return stages.map(({ width, height, iterations }, i) => {
    const { tiles, pairs } = memory[i].plan;
    return { width, height, iterations, tiles, pairs };
  });
}

async function regionRecord(
  { content, style, styles: [from, to], weight, contentWeight }: OpenedRegion,
  styles: readonly OpenedStyle[],
): Promise<RegionRecord> {
  return {
    content: await imageRecord(content),
    style: style && (await imageRecord(style)),
    styles: await Promise.all(styles.slice(from, to).map(styleRecord)),
    weight,
    contentWeight,
  };
}

/** The record of an image. */
export async function imageRecord(image: OpenImage): Promise<ImageRecord> {
  const { of, bytes } = await image.bytes();
  return { sha256: await sha256(bytes as Bytes), of, width: image.width, height: image.height };
}

/** The record of a start that is no name. */
export const startRecord = ({ image, byGenerator }: OpenedStart): Promise<SettingsRecord['init']> =>
  image ? imageRecord(image) : byGenerator.record();

/** The record of a style. */
export async function styleRecord({ weight, image, file }: OpenedStyle): Promise<StyleRecord> {
  if (image) return { ...(await imageRecord(image)), weight };
  return { sha256: await targetsHash(file), of: 'targets', weight };
}

/** SHA-256 of a style file's tensors, whatever their order. */
async function targetsHash({ tensors }: StyleFile): Promise<string> {
  const lines = [...tensors].map(async ([name, { shape, values }]) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return `${name} [${shape}] ${await sha256(bytes as Bytes)}`;
  });
  return sha256OfText((await Promise.all(lines)).sort().join('\n'));
}

/** The values that a run used, by the name of the option: those that are JSON, and the names of the others. */
function recordedOptions(run: RecordedRun): Pick<SettingsRecord, 'options' | 'unrecorded'> {
  const options: Record<string, unknown> = {};
  const unrecorded: string[] = [];
  for (const [name, value] of Object.entries(valuesOf(run))) {
    if (value === undefined || (withoutEffect as readonly string[]).includes(name)) continue;
    if (isJson(value)) options[name] = value;
    else unrecorded.push(name);
  }
  return { options, unrecorded };
}

/** Value of every row of the option table, as it was used. */
function valuesOf(run: RecordedRun): Record<string, unknown> {
  const { settings, facts, stages, images, styleRule } = run;
  const { preset, alpha = preset.alpha, beta = preset.beta, init, engine, extractor, loss } = settings;
  const { optimizer = defaultOptimizer() } = settings;
  const { options } = optimizer;
  const rows = Object.keys(styleTransferOptions.options).map((name) => [
    name,
    settings[name as keyof Settings],
  ]);
  return {
    ...Object.fromEntries(rows),
    ...(loss ? { preset: undefined } : { preset: preset.name, alpha, beta }),
    ...sizesOf(settings, stages, styledSizes(images.regionStyles, styleRule)),
    ...scalesOf(settings, stages),
    memory: memoryOf(run),
    stopWhen: settings.stopWhen && readStopWhen(settings.stopWhen),
    init: isStartName(init) ? init : noJson,
    weights: facts.embedded ? 'embedded' : undefined,
    padding: extractor ? undefined : settings.padding,
    engine: extractor ? undefined : typeof engine === 'string' ? facts.engine : noJson,
    relaxedSimd: settings.relaxedSimd || undefined,
    optimizer: options ? { name: optimizer.name, ...options } : noJson,
    // Masks may be paths, which a record never holds.
    regions: settings.regions && noJson,
    extractor: extractor && noJson,
    loss: loss && noJson,
  };
}

/** Stands for a value that JSON cannot hold. */
const noJson = Symbol();

/**
 * The sizes that were used. Style images that had no size in common, because none was asked for, have no such number;
 * then the options stay away, as they were.
 */
function sizesOf(
  { size, styleSize }: Settings,
  stages: Schedule,
  [first, ...others]: readonly number[],
): Pick<RecordedOptions, 'size' | 'styleSize'> {
  if (others.some((side) => side !== first)) return { size, styleSize };
  return { size: longerSide(stages[stages.length - 1]), styleSize: first ?? styleSize };
}

/** Longer sides of the style images after resizing. */
const styledSizes = (styles: readonly OpenedStyle[], rule: SizeRule) =>
  styles.flatMap(({ image }) => (image ? [longerSide(sizeAfter(rule, image.width, image.height))] : []));

/**
 * The stages as a list of scales, which does not depend on the rule of `'auto'`. `iterations` are those of the first.
 * Where evaluations are limited, a list of stages that were left out for lack of them would share them otherwise.
 */
function scalesOf(
  { scales, maxEvaluations }: Settings,
  [first, ...later]: Schedule,
): Pick<RecordedOptions, 'scales' | 'iterations'> {
  if (maxEvaluations !== undefined) return { scales };
  const list = later.map((stage) => ({ size: longerSide(stage), iterations: stage.iterations }));
  const { iterations } = first;
  return { scales: list.length === 0 ? 1 : [{ size: longerSide(first) }, ...list], iterations };
}

/** The limit that was given, or that shaped a plan: without one that did, a machine of any memory plans the same. */
function memoryOf({ settings, extractor, stages, memory, limit }: RecordedRun): number | undefined {
  const { optimizer = defaultOptimizer() } = settings;
  const { pairs: most } = optimizer.history?.(packs(extractor)) ?? { pairs: 0 };
  // A stage makes no more pairs than steps.
  const shaped = stages.some(({ iterations }, i) => {
    const { tiles, pairs } = memory[i].plan;
    return tiles > 1 || pairs < Math.min(most, iterations);
  });
  return settings.memory ?? (shaped && limit < Infinity ? limit : undefined);
}

const longerSide = ({ width, height }: Size) => Math.max(width, height);

/** Whether a value is plain JSON; fields that are undefined are as if they were not there. */
function isJson(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  if (typeof value === 'object' && value !== null)
    return (
      Object.getPrototypeOf(value) === Object.prototype &&
      Object.values(value).every((field) => field === undefined || isJson(field))
    );
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
