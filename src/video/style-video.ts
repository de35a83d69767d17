import * as tf from '@tensorflow/tfjs-core';
import { ImageError, InvalidArgumentError } from '../errors';
import type { Image } from '../image/image';
import { rgbPixels } from '../image/pixel-array';
import { type ImageInput, imageOf, toImageData } from '../image/to-image';
import { showValue } from '../options/show';
import { disposable, owning } from '../owning';
import { anyPlatform, type Platform, requireBackend } from '../platform';
import type { LaterFrame } from '../transfer/later-frame';
import type { StyleTransferProgress } from '../transfer/progress';
import { sizeRule } from '../transfer/schedule';
import type { SettingsRecord } from '../transfer/settings-record';
import { type SharedWork, shareWork } from '../transfer/shared-work';
import { type StyleTransferResult, styleTransferOn } from '../transfer/style-transfer';
import { readStyles, type StyleInput } from '../transfer/styles';
import { flowReliability } from './flow-reliability';
import { opticalFlow, opticalFlowsBetween } from './optical-flow';
import { type PaintedFrame, readVideoOptions, type StyleVideoOptions, type VideoSettings } from './options';
import { repeatedOptions } from './repeated-options';
import { warp } from './warp';

/** A frame of {@link styleVideo}: the result of `styleTransfer`, and what it takes to go on from it. */
export interface StyledFrame extends StyleTransferResult, PaintedFrame {
  /**
   * [height, width, 3], in steps of 1/255, as films hold it: the next frame starts from these values, whether it is
   * painted now or by another call, with the frame as its option `after`.
   */
  readonly image: Image;
  /** Share of the pixels whose motion is known, 0 to 1; undefined where there is no temporal loss. */
  readonly reliable: number | undefined;
  /** Frees `image` and `frame`. Safe to call twice. */
  dispose(): void;
}

/** `styleVideo` on a platform whose images are `Input`. */
export type StyleVideo<Input> =
  /**
   * Paints the frames of a film one after the other (Ruder, Dosovitskiy & Brox 2016): the first as `styleTransfer`
   * does; each later one from the previous result, moved along with the picture's motion, with a loss that holds it
   * there where the motion is known. Frames are read as they are needed, and painted as the iterator is asked for them.
   *
   * @param frames of one size, in order; of more than one, all are resized by the option `size`
   * @param style as of `styleTransfer`
   * @param options see {@link StyleVideoOptions}
   * @returns painted frames, each of which belongs to the caller, who frees it by `dispose()`. Ending the iteration
   *   early frees all else.
   * @throws InvalidArgumentError at the first frame if an argument is wrong; ImageError `DIFFERENT_SIZES` if a frame
   *   differs in size; else as `styleTransfer`
   * @throws the signal's reason once it is aborted
   * @example
   * ```ts
   * for await (const frame of styleVideo(frames, style, { size: 320 })) {
   *   await show(frame.image);
   *   frame.dispose();
   * }
   * ```
   */
  (
    frames: AsyncIterable<Input> | Iterable<Input>,
    style: StyleInput<Input>,
    options?: StyleVideoOptions<Input>,
  ) => AsyncGenerator<StyledFrame, void, void>;

/** Paints the frames of a film; see {@link StyleVideo}. Frames are inputs of {@link ImageInput}. */
export const styleVideo: StyleVideo<ImageInput> = /* @__PURE__ */ styleVideoOn(anyPlatform);

/** Root of the mean of squared differences that costs as much as the first frame's loss, times `temporal`. */
const referenceDeviation = 0.1;

/** Makes `styleVideo` for a platform. */
export function styleVideoOn<Input>(platform: Platform<Input>): StyleVideo<Input> {
  return async function* (frames, style, options) {
    const settings = readVideoOptions(platform, options && (await repeatedOptions(options)));
    requireFrames(frames);
    readStyles(style);
    const { signal } = settings.each;
    signal?.throwIfAborted();
    await requireBackend(platform);
    // Frames come once; everything else comes with each of them.
    const work = shareWork(platform, (option) => option !== 'content' && option !== 'init');
    let before = settings.after && keptOf(settings.after);
    try {
      let index = before ? before.index + 1 : 0;
      for await (const input of frames) {
        signal?.throwIfAborted();
        const rule = sizeRule(settings.each.size);
        const frame = await platform.decode(`frames[${index}]`, input, rule, signal);
        try {
          if (before) requireSameSize(index, frame, before.frame);
          const painted = await paintFrame(
            { platform, work, settings, style, before, repeated: options?.settings },
            frame,
            index,
          );
          free(before);
          before = keptOf(painted);
          yield painted;
        } finally {
          frame.dispose();
        }
        index++;
      }
    } finally {
      free(before);
      work.dispose();
    }
  };
}

/** What frames have in common. */
interface Film<Input> {
  readonly platform: Platform<Input>;
  readonly work: SharedWork<Input>;
  readonly settings: VideoSettings<Input>;
  readonly style: StyleInput<Input>;
  readonly before: PaintedFrame | undefined;
  /** The run whose settings the film repeats. */
  readonly repeated: SettingsRecord | undefined;
}

async function paintFrame<Input>(
  { work, settings, style, before, repeated }: Film<Input>,
  frame: Image,
  index: number,
): Promise<StyledFrame> {
  const { each, frameIterations, onProgress, after } = settings;
  const isFirstOfCall = index === (after ? after.index + 1 : 0);
  return owning(async ({ temporary, result }) => {
    const start = before && (await startOf(settings, before, frame));
    if (start) temporary(start.image);
    if (start?.later.temporal) temporary(start.later.temporal.reliability);
    const paint = styleTransferOn<Input>(work.platform, work.load, undefined, start?.later);
    const forward = (event: StyleTransferProgress): void | Promise<void> => {
      if (event.type === 'step') return onProgress?.({ type: 'frame', index, step: event });
      if (event.type === 'interrupted' || (event.type !== 'warning' && !isFirstOfCall)) return;
      return onProgress?.(event);
    };
    const painted = await paint(frame as Input, style, {
      ...each,
      // The first frame tells what differs from the run.
      ...(before === undefined && { settings: repeated }),
      ...(start && { init: start.image as Input, iterations: frameIterations, scales: 1 as const }),
      onProgress: forward,
    });
    temporary(painted);
    const image = result(await inBytes(painted.image));
    const kept = result(tf.clone(frame));
    return disposable({
      ...painted,
      image,
      frame: kept,
      index,
      firstLoss: before?.firstLoss ?? painted.loss,
      reliable: start?.reliable,
      dispose() {
        image.dispose();
        kept.dispose();
      },
    });
  });
}

/** The start of a frame after the first. */
interface Start {
  /** It belongs to the caller, as the reliability does. */
  readonly image: Image;
  readonly later: LaterFrame;
  readonly reliable: number | undefined;
}

async function startOf<Input>(
  { flow, temporal }: VideoSettings<Input>,
  before: PaintedFrame,
  frame: Image,
): Promise<Start> {
  if (flow === 'none') return { image: tf.clone(before.image), later: {}, reliable: undefined };
  return owning(async ({ temporary, result }) => {
    if (temporal === 0) {
      const backward = temporary(await opticalFlow(frame, before.frame));
      return { image: result(warp(before.image, backward)), later: {}, reliable: undefined };
    }
    const [backward, forward] = temporary(await opticalFlowsBetween(frame, before.frame));
    const warped = result(warp(before.image, backward));
    const reliability = result(flowReliability(backward, forward));
    const reliable = (await temporary(tf.mean(reliability)).data())[0];
    const weight = (temporal * before.firstLoss) / referenceDeviation ** 2;
    return { image: warped, later: { temporal: { warped, reliability, weight } }, reliable };
  });
}

/** An image in steps of 1/255, the same as a file of it gives; it belongs to the caller. */
const inBytes = async (image: Image): Promise<Image> => imageOf(rgbPixels('image', await toImageData(image)));

/** A painted frame whose images share the data of another's. */
const keptOf = ({ frame, image, index, firstLoss }: PaintedFrame): PaintedFrame => ({
  frame: tf.keep(tf.clone(frame)),
  image: tf.keep(tf.clone(image)),
  index,
  firstLoss,
});

function free(frame: PaintedFrame | undefined): void {
  frame?.frame.dispose();
  frame?.image.dispose();
}

function requireFrames(frames: unknown): void {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = Object(frames) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >;
  if (typeof frames === 'object' && (typeof later === 'function' || typeof now === 'function')) return;
  const accepted = 'an iterable or async iterable of images';
  throw new InvalidArgumentError('WRONG_TYPE', `frames is ${showValue(frames)}; accepted: ${accepted}.`, {
    option: 'frames',
    value: frames,
    accepted,
  });
}

function requireSameSize(index: number, frame: Image, before: Image): void {
  const [height, width] = before.shape;
  if (frame.shape[0] === height && frame.shape[1] === width) return;
  const accepted = `${width}x${height}, the size of the frame before`;
  throw new ImageError(
    'DIFFERENT_SIZES',
    `frames[${index}] is ${frame.shape[1]}x${frame.shape[0]}; accepted: ${accepted}.`,
    { option: `frames[${index}]`, accepted },
  );
}
