import * as tf from '@tensorflow/tfjs-core';
import { whileDeviceLasts } from '../backends/lost-device';
import { withChromaOf } from '../color/luminance';
import { transferColor } from '../color/transfer-color';
import { type EngineOptions, engineOptions, ifSoftware } from '../engines/engine-options';
import { isOpenGenerator } from '../engines/is-open-generator';
import { type OpenGenerator, openGeneratorOn } from '../engines/open-generator';
import { predictStyle } from '../engines/predict-style';
import { InvalidArgumentError } from '../errors';
import type { Generator } from '../features/generator';
import { isGenerator } from '../features/is-generator';
import type { Image } from '../image/image';
import { cropTo, padImage, requireLargeEnough } from '../image/pad-image';
import type { ImageInput } from '../image/to-image';
import { showValue } from '../options/show';
import { abortSignal, any, callback, number, oneOf, optionTable, type WithDefaults } from '../options/table';
import { disposable, owning } from '../owning';
import { anyPlatform, type Platform, requireBackend } from '../platform';
import { type ColorChoice, colorChoices } from '../transfer/color';
import type { WarningEvent } from '../transfer/progress';
import { ProgressChannel } from '../transfer/progress-channel';
import { type StyleWeights, styleVector } from './style-vector';

/** Options of {@link Stylize}. */
export interface StylizeOptions<Input = ImageInput> extends EngineOptions {
  /** Longer side of the result in pixels. @default the photograph's own size */
  readonly size?: number | undefined;
  /** Share of the painted picture in the result, 0 to 1; the rest is the photograph. @default 1 */
  readonly strength?: number | undefined;
  /**
   * Whose colours the result has: those of the generator's style; with `'content'` the painted picture's luminance and
   * the photograph's chroma; or those of the photograph by a method of `transferColor`, which moves the colours of the
   * painted picture.
   * @default 'style'
   */
  readonly color?: ColorChoice | undefined;
  /**
   * The style of a generator with a predictor, which paints as any picture: a style image, or the vector that
   * `predictStyle` found in one.
   */
  readonly style?: Input | Float32Array | undefined;
  /** Weights of the styles of a generator of several; see {@link StyleWeights}. */
  readonly styleWeights?: StyleWeights | undefined;
  /** Seed of noise, of generators with noise; equal seeds give equal pictures. @default 0 */
  readonly seed?: number | undefined;
  /** Ends the work; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each event and awaited. */
  readonly onProgress?: ((event: StylizeProgress) => void | Promise<void>) | undefined;
}

/** An event of {@link Stylize}. */
export type StylizeProgress = StylizeStartEvent | WarningEvent;

/** The generator is loaded and the photograph decoded; painting comes next. */
export interface StylizeStartEvent {
  readonly type: 'start';
  /** Name of the generator. */
  readonly generator: string;
  /** Size of the result in pixels. */
  readonly width: number;
  readonly height: number;
}

/** Result of {@link Stylize}. */
export interface StylizeResult {
  /** [height, width, 3], RGB in [0,1]. `dispose()` frees it. */
  readonly image: Image;
  /** Time of painting and colours, without loading the generator and decoding the photograph. */
  readonly elapsedMs: number;
  /** Frees the image. Safe to call twice. */
  dispose(): void;
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void;
}

/** `stylize` on a platform whose images are `Input`. */
export type Stylize<Input> = (
  image: Input,
  generator: Generator | OpenGenerator,
  options?: StylizeOptions<Input>,
) => Promise<StylizeResult>;

/** Every option of `stylize`: type, range, default, and the command's flag and help. */
export const stylizeOptions = /* @__PURE__ */ optionTable<StylizeOptions<unknown>>()('stylize', {
  size: number({
    min: 1,
    max: 16384,
    integer: true,
    flag: '--size <pixels>',
    help: "longer side of the result (default: the photograph's)",
  }),
  strength: number({
    min: 0,
    max: 1,
    default: 1,
    flag: '--strength <share>',
    help: 'share of the painted picture, 0 to 1; the rest is the photograph',
  }),
  color: oneOf(colorChoices, {
    default: 'style',
    flag: '--color <whose>',
    help: "whose colours: style, content (the photograph's chroma), or the photograph's by moving the picture's: mean, covariance, histogram",
  }),
  style: any<unknown, { readonly flag: string; readonly help: string }>(
    'a style image, or a vector of predictStyle()',
    (value) => (typeof value === 'object' && value !== null) || typeof value === 'string',
    { flag: '--style <picture>', help: 'the picture to paint as, for a generator that paints as any' },
  ),
  styleWeights: any<StyleWeights>(
    'a record of weights by style name, or a list of weights',
    (value) => typeof value === 'object' && value !== null,
  ),
  seed: number({ integer: true, default: 0, flag: '--seed <number>', help: 'seed of the noise' }),
  ...engineOptions,
  signal: abortSignal(),
  onProgress: callback<(event: StylizeProgress) => void | Promise<void>>(),
});

type Settings = WithDefaults<StylizeOptions<unknown>, (typeof stylizeOptions)['options']>;

/** Makes `stylize` for a platform. */
export function stylizeOn<Input>(platform: Platform<Input>): Stylize<Input> {
  return async (image, generator, options: StylizeOptions<Input> = {}) => {
    const settings = stylizeOptions.read(options);
    requireEither(generator, options);
    const style = styleOf(generator, settings);
    settings.signal?.throwIfAborted();
    const progress = new ProgressChannel<StylizeProgress>(settings.onProgress, settings.signal);
    try {
      return await paint(platform, image, generator, style, settings, progress);
    } catch (error) {
      await progress.close();
      throw progress.reasonFor(error);
    } finally {
      await progress.close();
    }
  };
}

/**
 * Paints a photograph by a generator, at once. Sizes that the network cannot halve evenly are filled up with the mirror
 * image, and cut afterwards.
 *
 * @param image the photograph, any size that the generator takes
 * @param generator of `loadGenerator` or `trainGenerator`, or, for many pictures, of `openGenerator`; it remains the
 *   caller's
 * @param options see {@link StylizeOptions}
 * @returns the picture, which belongs to the caller, who frees it by `dispose()`
 * @throws InvalidArgumentError before any work if an argument is wrong or options conflict; ImageError if an image
 *   cannot be used, or is too small for the generator; EnvironmentError if a backend, an engine or memory is missing;
 *   the signal's reason once it is aborted, and any error of `onProgress`
 * @example
 * ```ts
 * const { image } = await stylize(photo, await loadGenerator(url), { strength: 0.8 });
 * ```
 */
export const stylize: Stylize<ImageInput> = /* @__PURE__ */ stylizeOn(anyPlatform);

async function paint<Input>(
  platform: Platform<Input>,
  input: Input,
  generator: Generator | OpenGenerator,
  style: Float32Array | undefined,
  settings: Settings,
  progress: ProgressChannel<StylizeProgress>,
): Promise<StylizeResult> {
  const { size, seed, engine, threads, relaxedSimd } = settings;
  const { signal } = progress;
  const onWarning = (warning: Omit<WarningEvent, 'type'>) => progress.post({ type: 'warning', ...warning });
  await requireBackend(platform, onWarning, ifSoftware(engine, isOpenGenerator(generator)));
  return owning(async ({ temporary, result }) => {
    const opened = await platform.open('image', input, signal);
    const load = openGeneratorOn(platform);
    const open = isOpenGenerator(generator)
      ? generator
      : temporary(await load(generator, { engine, threads, relaxedSimd, signal, onWarning }));
    const photo = temporary(await opened.decode(size === undefined ? undefined : { longerSide: size }));
    const [height, width] = photo.shape;
    requireLargeEnough('image', { width, height }, open);
    const vector = style ?? (await predicted(platform, open, settings.style as Input, signal));
    await progress.send({ type: 'start', generator: open.name, width, height });
    const startTime = performance.now();
    const image = await whileDeviceLasts(async () => {
      const padded = temporary(padImage(photo, open));
      const whole = temporary(await open.run(padded, vector, { seed, signal }));
      const painted = temporary(cropTo(whole, photo.shape));
      const colored = temporary(await withColors(painted, photo, settings.color, signal));
      return result(blended(colored, photo, settings.strength));
    });
    const elapsedMs = performance.now() - startTime;
    return disposable({ image, elapsedMs, dispose: () => image.dispose() });
  });
}

/** The painted picture in the colours that are asked for. @returns an image that belongs to the caller */
async function withColors(
  painted: Image,
  photo: Image,
  color: ColorChoice,
  signal: AbortSignal,
): Promise<Image> {
  if (color === 'style') return tf.clone(painted);
  if (color === 'content') return withChromaOf(painted, photo);
  return transferColor(painted, photo, { method: color, signal });
}

const blended = (painted: Image, photo: Image, strength: number): Image =>
  strength === 1
    ? tf.clone(painted)
    : tf.tidy(() => tf.add(photo, tf.mul(tf.sub(painted, photo), strength)) as Image);

/** The style vector; undefined if it is to be found in an image. */
function styleOf(
  generator: Generator | OpenGenerator,
  { style, styleWeights }: Settings,
): Float32Array | undefined {
  const data = isOpenGenerator(generator) ? generator.generator : generator;
  const none = { name: generator.name, styles: [], vectorLength: 0, predictor: undefined };
  return styleVector(data ?? none, { style, styleWeights });
}

/** The style vector of an image. */
async function predicted<Input>(
  platform: Platform<Input>,
  { generator }: OpenGenerator,
  style: Input,
  signal: AbortSignal,
): Promise<Float32Array> {
  return owning(async ({ temporary }) => {
    const image = temporary(await (await platform.open('style', style, signal)).decode());
    return predictStyle(generator as Generator, image, { signal });
  });
}

/** Throws unless the generator is one, and options of engines are given only where it is loaded. */
function requireEither(generator: unknown, options: StylizeOptions<unknown>): void {
  if (isOpenGenerator(generator)) {
    for (const option of Object.keys(engineOptions) as (keyof EngineOptions)[]) {
      if (options[option] === undefined) continue;
      const accepted = `${option} of openGenerator()`;
      throw new InvalidArgumentError(
        'CONFLICTING_OPTIONS',
        `${option} has no effect on a generator that has been opened; accepted: ${accepted}.`,
        { option, value: options[option], accepted },
      );
    }
    return;
  }
  if (isGenerator(generator)) return;
  const accepted = 'what loadGenerator(), trainGenerator(), openGenerator() or fromModel() gives';
  throw new InvalidArgumentError(
    'WRONG_TYPE',
    `generator is ${showValue(generator)}; accepted: ${accepted}.`,
    { option: 'generator', value: generator, accepted },
  );
}
