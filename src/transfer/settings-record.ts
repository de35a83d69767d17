import type { EngineName } from '../engines/list';
import type { Padding } from '../features/padding';
import type { Size } from '../image/size-rule';
import type { StopWhen } from '../optim/stop-rule';
import type { ColorChoice } from './color';
import type { PresetName } from './presets';
import type { Scales } from './scales';
import type { Balance, StyleLayerWeights } from './weigh';

/**
 * The settings of a run as plain JSON: every option with its default filled in, versions, and SHA-256 of the images and
 * of the network's weights. It holds no path, address or name of a file.
 *
 * As the option `settings` of `styleTransfer` it repeats the run: from the same images, weights and versions the wasm
 * engine paints the same picture to the bit.
 */
export interface SettingsRecord {
  readonly format: 'tfjs-style-transfer settings';
  /** Version of this format. A record of another is refused. */
  readonly formatVersion: 1;
  /** Version of this library. */
  readonly library: string;
  /** Version of tfjs. */
  readonly tfjs: string;
  /** Version of what decodes and resamples image files, as `'sharp 0.35.5'`; undefined where the platform does. */
  readonly decoder?: string | undefined;
  /** Name of the engine. */
  readonly engine: string;
  /** The tfjs backend that was active. */
  readonly backend: string;
  /** Threads of the engine. They change no bit of the picture. */
  readonly threads?: number | undefined;
  readonly network: NetworkRecord;
  readonly content: ImageRecord;
  /** The styles in their order. */
  readonly styles: readonly StyleRecord[];
  /** The image of the option `init`, or the generator, if it was one. */
  readonly init?: ImageRecord | GeneratorRecord | undefined;
  /** The regions in their order, if there are any. */
  readonly regions?: readonly RegionRecord[] | undefined;
  /** The stages in their order. The last has the size of the painted image. */
  readonly stages: readonly StageRecord[];
  readonly options: RecordedOptions;
  /**
   * Names of options that were objects or functions, which JSON cannot hold, and `'init'` if it was an image or a
   * generator. A run that repeats this one needs them again.
   */
  readonly unrecorded: readonly string[];
}

/** An image in a {@link SettingsRecord}, with its own size in pixels. */
export interface ImageRecord extends Size {
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** What was hashed: the bytes of a file, or without a file RGB pixels as float32 in [0,1], little-endian. */
  readonly of: 'file' | 'pixels';
}

/** A generator that painted the start, in a {@link SettingsRecord}. */
export interface GeneratorRecord {
  /** Of its steps and tensors, in lower-case hexadecimal. */
  readonly sha256: string;
  readonly of: 'generator';
}

/** A style in a {@link SettingsRecord}: an image with its own size in pixels, or the targets of a style file. */
export interface StyleRecord extends Partial<Size> {
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** As of an {@link ImageRecord}; `'targets'`: names, shapes and SHA-256 of a style file's tensors. */
  readonly of: 'file' | 'pixels' | 'targets';
  /** Its share, relative to the other styles' weights. */
  readonly weight: number;
}

/** A region in a {@link SettingsRecord}. */
export interface RegionRecord {
  readonly content: ImageRecord;
  readonly style?: ImageRecord | undefined;
  readonly styles: readonly StyleRecord[];
  readonly weight: number;
  readonly contentWeight: number;
}

/** A stage in a {@link SettingsRecord}. */
export interface StageRecord extends Size {
  /** Steps at most. */
  readonly iterations: number;
  /** Parts that the image was computed in; 1 is as a whole. */
  readonly tiles: number;
  /** Pairs that the optimiser's history had room for. */
  readonly pairs: number;
}

/** The network in a {@link SettingsRecord}. */
export interface NetworkRecord {
  readonly name: string;
  /** True for the small network of this package. */
  readonly embedded: boolean;
  /** SHA-256 of the weights that the loss uses, by `weightsHash`; undefined if a custom extractor does not know it. */
  readonly sha256?: string | undefined;
}

/**
 * Options in a {@link SettingsRecord}, complete and with the sizes that were used. `threads` is not among them, and of
 * `weights` only `'embedded'`, because other values are places.
 */
export interface RecordedOptions {
  readonly preset?: PresetName | undefined;
  readonly alpha?: number | undefined;
  readonly beta?: number | undefined;
  readonly balance?: Balance | undefined;
  readonly layerWeights?: StyleLayerWeights | undefined;
  readonly size?: number | undefined;
  readonly styleSize?: number | undefined;
  readonly scales?: Scales | undefined;
  /** Recorded where it was given, or the machine's made the run take tiles or fewer pairs. */
  readonly memory?: number | undefined;
  readonly color?: ColorChoice | undefined;
  readonly init?: 'content' | 'noise' | 'style' | undefined;
  readonly iterations?: number | undefined;
  readonly maxEvaluations?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly stopWhen?: StopWhen | undefined;
  readonly average?: number | undefined;
  readonly seed?: number | undefined;
  readonly weights?: 'embedded' | undefined;
  readonly padding?: Padding | undefined;
  readonly optimizer?: MethodRecord | undefined;
  readonly engine?: EngineName | undefined;
  readonly relaxedSimd?: boolean | undefined;
}

/** A method that `lbfgs` or `adam` made, with its options. */
export interface MethodRecord {
  readonly name: string;
  readonly [option: string]: unknown;
}

/** The format of a {@link SettingsRecord}. */
export const recordFormat = 'tfjs-style-transfer settings';

/** The version of {@link recordFormat} that this library writes and reads. */
export const recordFormatVersion = 1;
