import * as tf from '@tensorflow/tfjs-core';
import { whileDeviceLasts } from '../backends/lost-device';
import type { EngineExtractor } from '../engines/engine';
import { ifSoftware } from '../engines/engine-options';
import { defaultLastLayer, loadVgg19On } from '../engines/load-vgg19';
import { requireLayers } from '../features/require-layers';
import { deepestLayer, type Vgg19Layer, vgg19Layers } from '../features/vgg19/layers';
import type { Image } from '../image/image';
import type { OpenImage } from '../image/image-reader';
import type { Size } from '../image/size-rule';
import type { ImageInput } from '../image/to-image';
import { disposable, type Owner, owning } from '../owning';
import { anyPlatform, type Platform, requireBackend } from '../platform';
import type { WeightsWarning } from '../storage/progress';
import type { ColorChoice } from './color';
import type { GeneratorStart } from './generator-start';
import { KeptImage } from './kept-image';
import { type LaterFrame, laterFrameBytes } from './later-frame';
import type { RunImages } from './moved-colors';
import type { OpenedRegion } from './open-regions';
import { openStart } from './opened-start';
import { readSettings, type Settings, type StyleTransferOptions } from './options';
import { paintStages } from './paint-stages';
import { planStages } from './plan';
import { presetLayers } from './presets';
import type { RunPlan } from './progress';
import { ProgressChannel } from './progress-channel';
import type { Arguments } from './replay';
import { requirePositions } from './require-positions';
import { factsOf, type RunFacts } from './run-facts';
import { scheduleOf, sizeRule } from './schedule';
import type { SettingsRecord } from './settings-record';
import { type Painted, type StageInputs, shown } from './stage';
import {
  decodeStyles,
  type GivenStyle,
  largestOf,
  type OpenedStyle,
  openStyle,
  readStyles,
  requireNetworkOf,
  requireUsableStyles,
  type StyleInput,
} from './styles';

/** Result of {@link styleTransfer}. */
export interface StyleTransferResult extends Painted, RunFacts {
  /**
   * [height, width, 3], RGB in [0,1]. `dispose()` frees it; after that it is a disposed tensor, which tfjs refuses to
   * use.
   */
  readonly image: Image;
  /** Time of targets and minimisation, without loading the network and the images, and without `onProgress`. */
  readonly elapsedMs: number;
  /** Options, versions and hashes as plain JSON, to repeat the run with: see {@link SettingsRecord}. */
  readonly settings: SettingsRecord;
  /** Frees the image. Safe to call twice. */
  dispose(): void;
  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void;
}

/** `styleTransfer` on a platform whose images are `Input`. */
export interface StyleTransfer<Input> {
  /**
   * Paints the content image in the style of another: minimises alpha * content loss + beta * style loss over the
   * pixels, in the box [0,1] (Gatys et al. 2016, eq. 7; Li et al. 2021, eq. 1).
   *
   * @param content the image to paint, any size
   * @param style the image whose style it is painted in, any size; a style file; or a list `{ image, weight }` of both,
   *   whose Gram matrices are blended by weight
   * @param alpha weight of the content loss, at least 0
   * @param beta weight of the style loss, at least 0; published values belong to a preset
   * @param options see {@link StyleTransferOptions}
   * @returns the image with facts about the run; it belongs to the caller, who frees it by `dispose()`
   * @throws InvalidArgumentError before any work if an argument is wrong or options conflict; ImageError if an image
   *   cannot be used; WeightsError if weights cannot be obtained; EnvironmentError if a backend, an engine or memory is
   *   missing; ComputationError if the loss is not finite at the start, or the extractor is disposed during the run
   * @throws the signal's reason once it is aborted, and any error of `onProgress` or a custom loss
   * @example
   * ```ts
   * const { image } = await styleTransfer(content, style, 1, 1e6, { onProgress: console.log });
   * ```
   */
  (
    content: Input,
    style: StyleInput<Input>,
    alpha: number,
    beta: number,
    options?: StyleTransferOptions<Input>,
  ): Promise<StyleTransferResult>;
  /** The same with alpha and beta among the options, or the preset's. */
  (
    content: Input,
    style: StyleInput<Input>,
    options?: StyleTransferOptions<Input>,
  ): Promise<StyleTransferResult>;
}

/**
 * Paints the content image in the style of another; see {@link StyleTransfer}. Inputs are those of {@link ImageInput};
 * in Node, `tfjs-style-transfer/node` has the same function for image files too.
 */
export const styleTransfer: StyleTransfer<ImageInput> = /* @__PURE__ */ styleTransferOn(anyPlatform);

/** Takes the record of a run and the memory that each of its stages will take. */
type OnPlanned = (record: SettingsRecord, plans: readonly RunPlan[]) => unknown;

/**
 * Makes `styleTransfer` for a platform.
 *
 * @param load what loads the network of a run, which disposes it at its end
 * @param onPlanned called with the record of a run and the memory of its stages before any image is decoded, and
 *   awaited; what it throws ends the run
 * @param later of runs that paint a frame of a film after the first, in one stage
 */
export function styleTransferOn<Input>(
  platform: Platform<Input>,
  load: typeof loadVgg19On = loadVgg19On,
  onPlanned: OnPlanned = () => {},
  later?: LaterFrame,
): StyleTransfer<Input> {
  return async (
    content: Input,
    style: StyleInput<Input>,
    alphaOrOptions?: number | StyleTransferOptions<Input>,
    beta?: number,
    rest?: StyleTransferOptions<Input>,
  ) => {
    const [first, second, third] = await withRecord([alphaOrOptions, beta, rest]);
    const settings = readSettings(platform, first, second, third);
    const styles = readStyles(style);
    settings.signal?.throwIfAborted();
    requireKnownLayers(settings);
    const progress = new ProgressChannel(settings.onProgress, settings.signal);
    try {
      return await run(platform, { load, onPlanned, later }, settings, { content, styles }, progress);
    } catch (error) {
      await progress.close();
      throw progress.reasonFor(error);
    } finally {
      await progress.close();
    }
  };
}

/** The arguments, with what the record in the option `settings` adds to them. */
async function withRecord<Input>(given: Arguments<Input>): Promise<Arguments<Input>> {
  const options = given.find((argument) => typeof argument === 'object' && argument !== null) as
    | StyleTransferOptions<Input>
    | undefined;
  if (options?.settings === undefined) return given;
  return (await import('./replay')).replayArguments(given, options);
}

/** What the makers of a `styleTransfer` change about its runs. */
interface RunParts {
  readonly load: typeof loadVgg19On;
  readonly onPlanned: OnPlanned;
  readonly later: LaterFrame | undefined;
}

async function run<Input>(
  platform: Platform<Input>,
  { load, onPlanned, later }: RunParts,
  settings: Settings<Input>,
  inputs: { readonly content: Input; readonly styles: readonly GivenStyle<Input>[] },
  progress: ProgressChannel,
): Promise<StyleTransferResult> {
  const { signal } = progress;
  const { size, styleSize = size, color } = settings;
  const hasTensors = settings.extractor !== undefined || typeof settings.loss === 'object';
  const onWarning = (warning: WeightsWarning) => progress.post({ type: 'warning', ...warning });
  await requireBackend(platform, onWarning, ifSoftware(settings.engine, hasTensors));
  return owning(async (owner) => {
    const { temporary, result } = owner;
    // Opened first, so that a misspelt name is reported before weights are read, and sizes are known before memory is
    // allocated for images.
    const content = await platform.open('content', inputs.content, signal);
    const ofCall: OpenedStyle[] = [];
    for (const style of inputs.styles) ofCall.push(await openStyle(platform, style, signal));
    const { styles, regions } = await withRegions(platform, settings, { content, styles: ofCall }, progress);
    requireUsableStyles(settings, styles);
    const start = await openStart(platform, settings.init, ofCall, signal);
    const extractor =
      settings.extractor ?? temporary(await loadExtractor(platform, load, settings, progress));
    const stages = scheduleOf(
      settings,
      content,
      styles.some(({ file }) => file),
    );
    const painted = stages[stages.length - 1];
    const styleRule = sizeRule(styleSize);
    requirePositions(settings, stages[0], styles, styleRule);
    start?.byGenerator?.requireSize(stages[0]);
    const limit = settings.memory ?? platform.memory?.() ?? Infinity;
    const room = later ? limit - laterFrameBytes(painted) : limit;
    const memory = planStages(settings, extractor, stages, largestOf(styles, styleRule), room);
    await requireNetworkOf(styles, extractor, settings.preset.style);

    const facts = factsOf(extractor);
    const { recordRun } = await import('./record-run');
    const lastLayer = lastLayerOf(settings);
    const opened = { content, styles: ofCall, init: start, regions, regionStyles: styles };
    const record = await recordRun(
      { settings, extractor, facts, lastLayer, images: opened, stages, memory, limit, styleRule, platform },
      progress,
    );
    await onPlanned(
      record,
      memory.map(({ plan }) => plan),
    );
    signal.throwIfAborted();

    const decoded: RunImages = {
      content: temporary(await content.decode(painted)),
      styles: await decodeStyles(styles, styleRule, temporary),
    };
    const images = await whileDeviceLasts(() => colored(color, decoded, owner, signal));
    const stageInputs: StageInputs = {
      settings,
      extractor,
      facts,
      ...images,
      regions,
      memory,
      later,
      kept: new KeptImage(),
      progress,
    };
    const { chroma } = stageInputs;
    const ofRun = { ...decoded, styles: decoded.styles.slice(0, ofCall.length) };
    const chosen = temporary(
      start?.byGenerator
        ? await paintStart(
            platform,
            start.byGenerator,
            { images: ofRun, size: stages[0], settings },
            progress,
          )
        : await startImage(settings, stageInputs, stages[0], start?.image),
    );
    const first = chroma ? temporary(chroma.grey(chosen)) : chosen;
    const startTime = performance.now() - progress.settledMs;
    const { image: last, ...rest } = await paintStages(stageInputs, stages, first);
    const image = result(shown(temporary(last), chroma));
    const elapsedMs = performance.now() - progress.settledMs - startTime;
    return disposable({
      image,
      ...rest,
      ...facts,
      elapsedMs,
      settings: record,
      dispose: () => image.dispose(),
    });
  });
}

/** The styles of a run, and its regions if it has any. */
async function withRegions<Input>(
  platform: Platform<Input>,
  settings: Settings<Input>,
  opened: { readonly content: OpenImage; readonly styles: readonly OpenedStyle[] },
  progress: ProgressChannel,
): Promise<{ readonly styles: readonly OpenedStyle[]; readonly regions?: readonly OpenedRegion[] }> {
  if (settings.regions === undefined) return opened;
  const { openRegions } = await import('./open-regions');
  return openRegions(platform, settings, opened, progress);
}

/** The images of a run in their own colours, or in those that `color` asks for. */
async function colored(
  color: ColorChoice,
  images: RunImages,
  owner: Owner,
  signal: AbortSignal,
): Promise<RunImages> {
  if (color === 'style') return images;
  const { moveColors } = await import('./moved-colors');
  return moveColors(color, images, owner, signal);
}

async function paintStart<Input>(
  platform: Platform<Input>,
  start: GeneratorStart,
  {
    images,
    size,
    settings,
  }: { readonly images: RunImages; readonly size: Size; readonly settings: Settings<Input> },
  progress: ProgressChannel,
): Promise<Image> {
  const { engine, threads, relaxedSimd, color } = settings;
  const onWarning = (warning: WeightsWarning) => progress.post({ type: 'warning', ...warning });
  return start.paint(platform, images, size, {
    ...{ engine, threads, relaxedSimd, color },
    signal: progress.signal,
    onWarning,
  });
}

async function startImage(
  { init, seed }: Settings,
  { content, styles }: StageInputs,
  size: Size,
  image: OpenImage | undefined,
): Promise<Image> {
  if (image) return image.decode(size);
  if (init === 'noise') return tf.randomUniform([size.height, size.width, 3], 0, 1, 'float32', seed);
  // A style file as the first style has been refused by now.
  return tf.clone((init === 'style' ? styles[0].image : undefined) ?? content);
}

async function loadExtractor<Input>(
  platform: Platform<Input>,
  load: typeof loadVgg19On,
  settings: Settings<Input>,
  progress: ProgressChannel,
): Promise<EngineExtractor> {
  const { preset, weights, padding, engine, threads, relaxedSimd } = settings;
  const extractor = await load(platform, {
    weights,
    lastLayer: lastLayerOf(settings),
    pooling: preset.pooling,
    padding,
    engine,
    threads,
    relaxedSimd,
    signal: progress.signal,
    onProgress: (event) => progress.post(event),
    onWarning: (warning) => progress.post({ type: 'warning', ...warning }),
  });
  return owning(async ({ result }) => {
    result(extractor);
    await progress.settle();
    return extractor;
  });
}

/** The last layer that the network must have. A loss made later by a function may read any of the preset's layers. */
function lastLayerOf({ loss, preset }: Settings<unknown>): Vgg19Layer {
  return deepestLayer(typeof loss === 'object' ? loss.layers : presetLayers(preset)) ?? defaultLastLayer;
}

/**
 * Throws before any work if the network lacks a layer of the loss. A loss made later by a function is checked when it
 * exists.
 */
function requireKnownLayers({ loss, preset, extractor }: Settings<unknown>): void {
  const network = extractor ?? { name: 'VGG-19', layers: ['image' as const, ...vgg19Layers] };
  if (typeof loss === 'object') requireLayers('loss', 'The loss', loss.layers, network);
  if (loss === undefined)
    requireLayers('preset', `The preset '${preset.name}'`, presetLayers(preset), network);
}
