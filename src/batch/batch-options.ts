import { type MetricName, metricNames } from '../metrics/evaluate';
import { extensionOf, type ImageFormat, imageFormats } from '../node/write-image';
import {
  abortSignal,
  any,
  callback,
  number,
  type Option,
  oneOf,
  optionTable,
  type WithDefaults,
} from '../options/table';
import { requireName } from '../options/validate';
import { styleWeightsOption } from '../transfer/style-weights';
import type { JobSettings } from './job';
import type { BatchProgress } from './painter';
import { queueOption } from './queue/queue-option';
import { isUrl } from './stores';
import { workLoadOptions } from './work-load';

/** A picture of a batch whose pairs are named one by one. */
export interface BatchPair {
  /** The picture to paint: a path or a URL. */
  readonly content: string;
  /** The picture whose style it is painted in, or a style file; a list is blended. */
  readonly style: string | readonly string[];
  /** Weights of the styles of a list, one each, at least 0. @default 1 each */
  readonly styleWeights?: readonly number[] | undefined;
  /** File for the picture, in the folder of the batch unless it is a full path or a URL. @default as `name` says */
  readonly output?: string | undefined;
  /** Settings of this picture, which replace those of the batch one by one. */
  readonly settings?: JobSettings | undefined;
}

/** Options of {@link batch}. */
export interface BatchOptions {
  /** Pictures to paint, each in each of `styles`: paths or URLs. Not beside `pairs`. */
  readonly contents?: readonly string[] | undefined;
  /** Pictures whose styles they are painted in, or style files. Not beside `pairs`. */
  readonly styles?: readonly string[] | undefined;
  /**
   * Blends all of `styles` into each picture, by these weights: one for each style, at least 0. Not beside `pairs`.
   * @default none: each style by itself
   */
  readonly styleWeights?: readonly number[] | undefined;
  /** The pictures one by one, in place of `contents` and `styles`. */
  readonly pairs?: readonly BatchPair[] | undefined;
  /** Folder for the pictures, and for the manifest: `manifest.jsonl`. It is made if there is none. */
  readonly output: string;
  /**
   * Names of the files without extension: `{content}` and `{style}` stand for the names of the two pictures, `{index}`
   * for the number of the pair, from 1 on.
   * @default '{content}-{style}'
   */
  readonly name?: string | undefined;
  /** Format of the files whose `output` is not given. @default 'png' */
  readonly format?: ImageFormat | undefined;
  /** Settings of all pictures. @default those of `styleTransfer` */
  readonly settings?: JobSettings | undefined;
  /** Metrics of each picture against its content and its style, for the records. @default none */
  readonly metrics?: readonly MetricName[] | undefined;
  /**
   * Seconds between two pictures of each picture while it is painted, as JPEG beside it: `out.png.preview.jpg`, 0.1 to
   * 3600. Events `step` tell of new ones. When the picture is done, its preview is removed where it is a file.
   * @default none
   */
  readonly preview?: number | undefined;
  /**
   * Queue that the pictures are handed to, `redis://host:port/prefix`, for the workers that take from it (see `work`);
   * not beside `jobs`, `threads` and `memory`, which are theirs.
   * @default none: this process paints
   */
  readonly queue?: string | undefined;
  /** Pictures that are painted at once, 1 to 256. @default as many as cores and memory suffice for */
  readonly jobs?: number | undefined;
  /** Threads of each picture, as of `styleTransfer`. @default the cores that there are for each */
  readonly threads?: number | undefined;
  /** Bytes that the whole program may take. @default the machine's memory */
  readonly memory?: number | undefined;
  /** Ends the work within one evaluation; the iteration rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each event, in order. */
  readonly onProgress?: ((event: BatchProgress) => void) | undefined;
}

const places = any<readonly string[]>(
  'a list of paths or URLs',
  (value) => Array.isArray(value) && value.every((place) => typeof place === 'string' && place !== ''),
);

const record = <T>() =>
  any<T>('a plain record', (value) => typeof value === 'object' && value !== null && !Array.isArray(value));

/** A list of names of metrics. */
const metrics: Option<readonly MetricName[]> & { readonly flag: string; readonly help: string } = {
  accepts: `some of ${metricNames.join(', ')}`,
  kind: 'names',
  flag: '--metrics <names>',
  help: `metrics for the manifest, separated by commas: ${metricNames.join(', ')} (default: none)`,
  require(name, value) {
    places.require(name, value);
    for (const [i, metric] of (value as readonly unknown[]).entries())
      requireName(`${name}[${i}]`, metric, metricNames);
  },
};

/** Every option of {@link batch}. */
export const batchOptions = optionTable<BatchOptions>()('batch', {
  contents: places,
  styles: places,
  styleWeights: styleWeightsOption({
    help: 'blend all styles into each picture, by these weights, one for each, separated by commas (default: each style by itself)',
  }),
  pairs: any<readonly BatchPair[]>('a list of { content, style }', Array.isArray),
  output: any<string, { flag: string; help: string }>(
    'a folder of this machine; URLs are outputs of pairs',
    (value) => typeof value === 'string' && value !== '' && !isUrl(value),
    {
      flag: '-o, --output <folder>',
      help: 'folder of the pictures and of manifest.jsonl, made if there is none',
    },
  ),
  name: any<string, { default: string; flag: string; help: string }>(
    'a text with {content}, {style} or {index}',
    (value) => typeof value === 'string' && /\{(content|style|index)\}/.test(value),
    {
      default: '{content}-{style}',
      flag: '--name <pattern>',
      help: 'names of the files: {content} and {style} are the names of the pictures, {index} the number of the pair',
    },
  ),
  format: oneOf(imageFormats, {
    default: 'png',
    flag: '--format <name>',
    help: `format of the files: ${imageFormats.map((one) => `${one} (${extensionOf(one)})`).join(', ')}`,
  }),
  settings: record<JobSettings>(),
  metrics,
  preview: number({
    min: 0.1,
    max: 3600,
    flag: '--preview <seconds>',
    help: 'show each picture while it is painted, as .preview.jpg beside it, as often as this (default: never)',
  }),
  queue: queueOption,
  ...workLoadOptions,
  signal: abortSignal(),
  onProgress: callback<NonNullable<BatchOptions['onProgress']>>(),
});

/** {@link BatchOptions}, checked and complete. */
export type BatchSettings = WithDefaults<BatchOptions, typeof batchOptions.options>;
