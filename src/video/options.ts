import { InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { requireImage } from '../image/require-image';
import { showValue } from '../options/show';
import { callback, number, type Option, oneOf, optionTable, type WithDefaults } from '../options/table';
import { requireKnownOptions, requireNumber } from '../options/validate';
import type { Platform } from '../platform';
import { readSettings, type StyleTransferOptions, styleTransferOptions } from '../transfer/options';
import type { SettingsRecord } from '../transfer/settings-record';
import type { VideoProgressListener } from './progress';

/** How the motion between frames is found: see {@link StyleVideoOptions.flow}. */
export type FlowMethod = 'lucas-kanade' | 'none';

const flowMethods: readonly FlowMethod[] = ['lucas-kanade', 'none'];

/** A frame that has been painted, from which the next one goes on. */
export interface PaintedFrame {
  /** The frame as it was filmed, [height, width, 3] of the painted size. */
  readonly frame: Image;
  /** The frame as it was painted, [height, width, 3] of the same size. */
  readonly image: Image;
  /** Number of the frame; 0 is the first. */
  readonly index: number;
  /** The loss of the first frame's result, in whose units the temporal loss is weighted. */
  readonly firstLoss: number;
}

/** The options that `styleVideo` has beside those of `styleTransfer`. */
export interface TemporalOptions {
  /**
   * Steps of the optimiser at most in frames after the first, which start from a painting.
   * @default a third of `iterations`, rounded up
   */
  readonly frameIterations?: number | undefined;
  /**
   * How the motion between frames is found, along which the previous result is moved to become the start of the next
   * frame: `'lucas-kanade'` is `opticalFlow`; `'none'` starts from the previous result as it is, without temporal loss.
   * @default 'lucas-kanade'
   */
  readonly flow?: FlowMethod | undefined;
  /**
   * Weight of the temporal loss, at least 0: 1 makes a frame whose pixels differ from the moved previous one by 0.1, in
   * the root of the mean of squares, cost as much as the whole loss of the first frame's result. Not beside
   * `flow: 'none'`.
   * @default 1
   */
  readonly temporal?: number | undefined;
  /**
   * The frame before the first of these frames, to go on with a film. Its images remain the caller's, who keeps them
   * until the first frame has been painted.
   */
  readonly after?: PaintedFrame | undefined;
}

/** Options of `styleTransfer` that apply to each frame. */
type FrameOptions<Input> = Omit<StyleTransferOptions<Input>, 'settings' | 'onProgress'>;

/**
 * Options of `styleVideo`: those of `styleTransfer`, of which `init`, `iterations` and `scales` are of the first frame,
 * and of the film. `loss` is a function, which makes one for each frame.
 */
export interface StyleVideoOptions<Input> extends FrameOptions<Input>, TemporalOptions {
  /**
   * Settings of a run, as of `styleTransfer`: what other options leave out is as they say, in all frames.
   * @default none
   */
  readonly settings?: SettingsRecord | undefined;
  /** Called for each event and awaited; see {@link VideoProgressListener}. */
  readonly onProgress?: VideoProgressListener | undefined;
}

const after: Option<PaintedFrame> = {
  accepts: '{ frame, image, index, firstLoss }, a painted frame',
  require(name, value) {
    const { frame, image, index, firstLoss } = (value ?? {}) as Partial<PaintedFrame>;
    requireImage(`${name}.frame`, frame);
    requireImage(`${name}.image`, image);
    requireNumber(`${name}.index`, index, { min: 0, integer: true });
    requireNumber(`${name}.firstLoss`, firstLoss, { min: 0 });
  },
};

/** The table of {@link TemporalOptions}. */
export const temporalOptions = optionTable<TemporalOptions>()('styleVideo', {
  frameIterations: number({
    min: 1,
    integer: true,
    flag: '--frame-iterations <count>',
    help: 'steps at most in frames after the first (default: a third of --iterations)',
  }),
  flow: oneOf(flowMethods, {
    default: 'lucas-kanade',
    flag: '--flow <method>',
    help: 'how motion is found, along which the previous result becomes the start of the next frame',
  }),
  temporal: number({
    min: 0,
    flag: '--temporal <weight>',
    help: 'how firmly frames are held to the one before, where motion is known (default: 1)',
  }),
  after,
});

/** Default of the option `temporal`. */
const defaultTemporal = 1;

const { settings: _, onProgress: __, ...frameOptions } = styleTransferOptions.options;

/** The options of a film, checked and complete. */
export interface VideoSettings<Input>
  extends Omit<
    WithDefaults<TemporalOptions, typeof temporalOptions.options>,
    'frameIterations' | 'temporal'
  > {
  readonly frameIterations: number;
  readonly temporal: number;
  readonly onProgress: VideoProgressListener | undefined;
  /** Options of `styleTransfer` for every frame. */
  readonly each: FrameOptions<Input>;
}

/**
 * The options of `styleVideo`, checked before any work.
 *
 * @param given without `settings`, see `repeatedOptions`
 * @throws InvalidArgumentError if one is unknown, not accepted, or without effect beside another
 */
export function readVideoOptions<Input>(
  platform: Platform<Input>,
  given: StyleVideoOptions<Input> = {},
): VideoSettings<Input> {
  const own = Object.keys(temporalOptions.options);
  const known = [...own, ...Object.keys(frameOptions), 'onProgress'];
  if (typeof given === 'object' && given !== null) requireKnownOptions('styleVideo', given, known);
  const { onProgress, ...rest } = given;
  const entries = Object.entries(rest);
  const read = temporalOptions.read(
    Object.fromEntries(entries.filter(([name]) => own.includes(name))) as TemporalOptions,
  );
  const each = Object.fromEntries(entries.filter(([name]) => !own.includes(name))) as FrameOptions<Input>;
  if (onProgress !== undefined) callback().require('onProgress', onProgress);
  const { iterations } = readSettings(platform, each, undefined, undefined);
  if (typeof each.loss === 'object') throw lossOfOneFrame(each.loss);
  if (read.flow === 'none' && given.temporal !== undefined) throw withoutMotion(given.temporal);
  const { frameIterations = Math.ceil(iterations / 3), temporal = defaultTemporal } = read;
  return { ...read, frameIterations, temporal, onProgress, each };
}

function withoutMotion(temporal: number): InvalidArgumentError {
  const accepted = "no temporal, or flow 'lucas-kanade'";
  return new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    "temporal has no effect beside flow: 'none', by which no motion is known. Leave one of the two out.",
    { option: 'temporal', value: temporal, accepted },
  );
}

function lossOfOneFrame(value: unknown): InvalidArgumentError {
  const accepted = 'a function that makes a loss, which is called for each frame';
  return new InvalidArgumentError('WRONG_TYPE', `loss is ${showValue(value)}; accepted: ${accepted}.`, {
    option: 'loss',
    value,
    accepted,
  });
}
