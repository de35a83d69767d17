import type { EngineName } from '../engines/list';
import type { ErrorCode } from '../error-codes';
import type { ImageEvaluation, MetricName } from '../metrics/evaluate';
import type { Backend } from '../node/start-backend';
import type { ImageFormat } from '../node/write-image';
import type { StyleTransferOptions } from '../transfer/options';
import type { Region } from '../transfer/regions';

/**
 * Options of `styleTransfer` that JSON can hold, with places of files in place of images. Defaults are those of
 * `styleTransfer`.
 */
export interface JobSettings
  extends Pick<
    StyleTransferOptions<string>,
    | 'preset'
    | 'alpha'
    | 'beta'
    | 'balance'
    | 'layerWeights'
    | 'size'
    | 'styleSize'
    | 'scales'
    | 'color'
    | 'iterations'
    | 'maxEvaluations'
    | 'tolerance'
    | 'stopWhen'
    | 'average'
    | 'seed'
    | 'padding'
    | 'relaxedSimd'
    | 'settings'
  > {
  /** The start: `'content'`, `'noise'`, `'style'`, or the place of a picture. @default 'content' */
  readonly init?: string | undefined;
  /** Parts of the picture with styles of their own: places of masks, and of pictures or style files. */
  readonly regions?: readonly JobRegion[] | undefined;
  /** VGG-19: `'vgg19'`, `'embedded'`, a folder, a file or a URL. @default VGG-19 if it is cached, else embedded */
  readonly weights?: string | undefined;
  /** What computes the network. @default 'auto' */
  readonly engine?: 'auto' | EngineName | undefined;
  /** Backend of TensorFlow.js. @default that of `settings`, else 'wasm' */
  readonly backend?: Backend | undefined;
}

/** A part of the picture with a style of its own. */
export interface JobRegion extends Omit<Region<string>, 'styleImage'> {
  /** @default the style of the job */
  readonly styleImage?: string | undefined;
}

/**
 * One picture to paint, as plain JSON: places and settings, never pixels. A place is a path or a URL that whoever
 * paints can read, or for `output` write.
 */
export interface Job {
  /** Name of the job, a hash of all that follows: 32 hexadecimal digits. */
  readonly id: string;
  /** The picture to paint. */
  readonly content: string;
  /** The picture whose style it is painted in, or a style file; a list is blended. */
  readonly style: string | readonly string[];
  /** Weights of the styles of a list, one each, at least 0. @default 1 each */
  readonly styleWeights?: readonly number[] | undefined;
  /** Where the picture goes. */
  readonly output: string;
  /** Format of the file. @default as the extension of `output` says */
  readonly format?: ImageFormat | undefined;
  readonly settings: JobSettings;
  /** SHA-256 that files must have, by their places: a file that was changed meanwhile fails the job. @default any */
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  /** Metrics of the picture against content and style, for the record. @default none */
  readonly metrics?: readonly MetricName[] | undefined;
  /** Pictures while the job is painted; no part of its name. @default none */
  readonly preview?: JobPreview | undefined;
}

/** Pictures of a job while it is painted. */
export interface JobPreview {
  /** Place of the file, which each new picture replaces. */
  readonly output: string;
  /** Seconds between two pictures. */
  readonly seconds: number;
}

/** What became of a job, as plain JSON: a line of a manifest. */
export type BatchRecord = DoneRecord | FailedRecord;

/** What every record has: the job itself, and what it read. */
export interface JobRecord extends Job {
  /** SHA-256 of every file that was read, by its place. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Time of the whole job, in seconds. */
  readonly seconds: number;
  /** When it ended, in UTC: `2026-01-31T12:00:00.000Z`. */
  readonly ended: string;
  /** Version of this library. */
  readonly library: string;
}

/** A picture that is there. The file holds the complete record of its run, see `readSettingsRecord`. */
export interface DoneRecord extends JobRecord {
  /** `'kept'` is a picture that an earlier batch painted, from the same files by the same settings. */
  readonly state: 'done' | 'kept';
  /** SHA-256 of the picture's file. */
  readonly sha256: string;
  /** Size of the picture in pixels. */
  readonly width: number;
  readonly height: number;
  readonly loss: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** Source of the network's weights. */
  readonly weights: string;
  /** True if the small network of this package replaced VGG-19. */
  readonly embedded: boolean;
  /** Name of the engine. */
  readonly engine: string;
  /** Threads of the engine; undefined if it does not know. */
  readonly threads?: number | undefined;
  /** What the job's `metrics` asked for, against content and style; of a style file there are none. */
  readonly values?: Pick<ImageEvaluation<never>, 'content' | 'style'> | undefined;
}

/** A picture that could not be painted. */
export interface FailedRecord extends JobRecord {
  readonly state: 'failed';
  readonly error: JobError;
}

/** An error as plain JSON. */
export interface JobError {
  /** Class of the error: `'ImageError'`. */
  readonly name: string;
  /** Of errors of this library. */
  readonly code?: ErrorCode | undefined;
  readonly message: string;
}
