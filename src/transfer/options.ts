import * as tf from '@tensorflow/tfjs-core';
import { type EngineChoice, engineOptions, enginesFor, extractorConflict } from '../engines/engine-options';
import { isOpenGenerator } from '../engines/is-open-generator';
import type { Weights } from '../engines/load-vgg19';
import type { OpenGenerator } from '../engines/open-generator';
import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { Generator } from '../features/generator';
import { isGenerator } from '../features/is-generator';
import { type Padding, paddings } from '../features/padding';
import type { Image } from '../image/image';
import type { ImageInput } from '../image/to-image';
import { isLoss, lossContract } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { lbfgs, type Method, pyramidPreconditioner } from '../optim';
import { averageOption } from '../optim/iterate-average';
import { type StopWhen, stopWhenOption } from '../optim/stop-rule';
import { type Conflict, requireNoConflict } from '../options/conflicts';
import { showValue } from '../options/show';
import {
  abortSignal,
  any,
  bytes,
  callback,
  number,
  type Option,
  oneOf,
  optionTable,
  type WithDefaults,
} from '../options/table';
import { requireName } from '../options/validate';
import type { Platform } from '../platform';
import { type ColorChoice, colorChoices, requireColorApplies } from './color';
import type { LossTargets } from './preset-loss';
import { defaultPreset, getPreset, type Preset, type PresetName, presetNames } from './presets';
import type { ProgressListener } from './progress';
import { type Region, regionsOption } from './regions';
import { defaultSize, pixels, requireScalesFit, type Scales, scalesOption } from './scales';
import type { SettingsRecord } from './settings-record';
import {
  type Balance,
  balanceOption,
  layerWeightsOption,
  type StyleLayerWeights,
  weighedPreset,
} from './weigh';

/** Options of {@link styleTransfer}. */
export interface StyleTransferOptions<Input = ImageInput> {
  /**
   * A published setting: layers, losses, weights and number of iterations. Not beside `loss`.
   * @default 'li2021'
   */
  readonly preset?: PresetName | undefined;
  /**
   * Weight of the content loss, at least 0. Not beside `loss`.
   * @default the preset's
   */
  readonly alpha?: number | undefined;
  /**
   * Weight of the style loss, at least 0. Not beside `loss`.
   * @default the preset's
   */
  readonly beta?: number | undefined;
  /**
   * What alpha and beta compare: plain values of the losses, or effort, see {@link Balance}. With `'initial'` their
   * defaults are 1 and, for every preset of Gram matrices, 30; of other statistics 1.
   * @default 'none'
   */
  readonly balance?: Balance | undefined;
  /**
   * Factors of the layers of the preset's style loss, as in `{ relu1_1: 2, relu4_1: 0.5 }`; at least 0, and not all 0.
   * Not beside `loss`.
   * @default 1 each
   */
  readonly layerWeights?: StyleLayerWeights | undefined;
  /**
   * Longer side of the result in pixels, 16 to 16384. Beside a list of `scales` only the last size of the list.
   * @default the last size of a list of `scales`, else the content image's own, at most 512
   */
  readonly size?: number | undefined;
  /**
   * Longer side of the style image in pixels, 16 to 16384. Strokes have the size in pixels that they have in it.
   * @default `size` where it is given, else the style image's own, at most 512
   */
  readonly styleSize?: number | undefined;
  /**
   * The sizes to paint at, each from the enlarged result of the one before: large shapes come from the small sizes,
   * which take a part of the time. `1` is one size. A list of {@link Scale} names sizes, of which the last is that of
   * the result, and iterations. `'auto'` is the preset's sizes, or where it has none chooses both where several sizes
   * save time: from 512 pixels on, for presets with layers beyond the third block, such as `gatys2016`. Beside style
   * files it is one size.
   * The style image keeps its size relative to the painted image.
   * @default 'auto'
   */
  readonly scales?: Scales | undefined;
  /**
   * Bytes that the whole program may take. What does not fit is computed with a shorter history of the optimiser and by
   * tiles, which take more time; the start event has the plan. Memory of a GPU does not count.
   * @default what the machine has in Node, no limit in a page; an engine's own limit counts in both
   */
  readonly memory?: number | undefined;
  /**
   * Whose colours the result has; see {@link ColorChoice}. Not beside a `loss` that is an object.
   * @default 'style'
   */
  readonly color?: ColorChoice | undefined;
  /**
   * Parts of the picture with styles of their own, see {@link Region}. A warning event says which share of the picture
   * lies in no region, or in several. Not beside `loss`.
   * @default the whole picture in the style of the call
   */
  readonly regions?: readonly Region<Input>[] | undefined;
  /**
   * The image to start from: the content (keeps its structure), noise from `seed`, the style, an image, which is
   * resized, or what a generator of `./generators` paints of the content. A generator that paints as any picture paints
   * as the style of the run; of one with several styles, start from the picture that `stylize` gives.
   * @default 'content'
   */
  readonly init?: StartName | Input | Generator | OpenGenerator | undefined;
  /**
   * Steps of the optimiser at most, in the first stage; later ones take a part of it, see {@link Scale}.
   * @default the preset's; 100 beside `loss`
   */
  readonly iterations?: number | undefined;
  /**
   * Evaluations of loss and gradient at most; stages share them in proportion to their iterations.
   * @default unlimited
   */
  readonly maxEvaluations?: number | undefined;
  /**
   * The run ends when the largest component of the projected gradient is at most this.
   * @default 0, which turns the rule off
   */
  readonly tolerance?: number | undefined;
  /**
   * Ends a stage when the loss falls by less than the part `improvement` over the last `over` iterations, as in
   * `{ improvement: 0.001, over: 10 }`; see {@link StopWhen}. The next stage begins as if this one had used all of its
   * iterations, and gets none of those left.
   * @default never
   */
  readonly stopWhen?: StopWhen | undefined;
  /**
   * A stage gives the average of its start and all its steps, the last of which weighs 1 and each before it this factor
   * less: 0.99 averages about the last hundred. It takes the speckle out of steps of one length, as Adam's are. 0 is
   * off: then a stage gives the image of the lowest loss. An interrupted run hands out that image in both cases.
   * @default the preset's, else 0
   */
  readonly average?: number | undefined;
  /**
   * Seed of the noise of `init: 'noise'`, a whole number.
   * @default 0
   */
  readonly seed?: number | undefined;
  /**
   * A network that has been loaded already; it remains the caller's. Not beside `weights`, `padding`, `engine`,
   * `threads` or `relaxedSimd`, which are options of loading.
   * @default loaded for the run and disposed at its end
   */
  readonly extractor?: FeatureExtractor | undefined;
  /**
   * Source of VGG-19's weights. @default VGG-19 if it is cached, else the embedded network: see `loadVgg19`
   */
  readonly weights?: Weights | undefined;
  /**
   * What the first convolution reads beyond the image's border, in the painted image, the content and the style: zeros,
   * as in the papers, the nearest pixel (`'replicate'`) or the mirror image (`'reflect'`). Zeros leave a strip of other
   * colours along the border. A style file fits the padding that it was made with.
   * @default the preset's
   */
  readonly padding?: Padding | undefined;
  /**
   * A loss in place of the preset's, or a function, perhaps asynchronous, that makes one. A loss remains the caller's.
   *
   * If you pass a function, the loss it returns is disposed after the run, and features it extracted are freed as soon
   * as it returns. The library's losses copy what they need; a custom loss must `tf.keep(tf.clone(feature))`. The
   * network that it gets ends at `conv3_1` unless `extractor` is given.
   * @default the loss of `preset`
   */
  readonly loss?: Loss | ((targets: LossTargets) => Loss | Promise<Loss>) | undefined;
  /**
   * The method that minimises: `lbfgs(...)` or `adam(...)`.
   * @default the preset's, else L-BFGS with a pyramid preconditioner; 64 pairs in 8 bits on the wasm engine, else 20 in
   *   float32
   */
  readonly optimizer?: Method<Image> | undefined;
  /**
   * The engine that computes the network. @default 'auto', the faster one for the backend
   */
  readonly engine?: EngineChoice | undefined;
  /**
   * Threads of the wasm engine, 1 to 64.
   * @default the processor's cores, at most 8
   */
  readonly threads?: number | undefined;
  /**
   * Up to a fifth faster on some processors, with last digits that differ between them; see `loadVgg19`.
   * @default false
   */
  readonly relaxedSimd?: boolean | undefined;
  /**
   * The record of a run to repeat: `result.settings`, or what `readSettingsRecord` of `./node` reads from a picture.
   * Options beside it replace those of the record. A warning says why the picture may differ from the recorded one:
   * other images, options or versions. Weights that are found by default must be the recorded ones.
   */
  readonly settings?: SettingsRecord | undefined;
  /** Ends the run within one evaluation; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each event and awaited; see {@link ProgressListener}. */
  readonly onProgress?: ProgressListener | undefined;
}

/** A start by name. */
type StartName = (typeof startNames)[number];

export const startNames = ['content', 'noise', 'style'] as const;

/** Whether a start is one by name, and not an image. */
export function isStartName(init: unknown): init is StartName {
  return (startNames as readonly unknown[]).includes(init);
}

/** Whether a start is a generator, which paints it. */
export function isPainter(init: unknown): init is Generator | OpenGenerator {
  return isGenerator(init) || isOpenGenerator(init);
}

/** The default of the option `optimizer`. */
export const defaultOptimizer = (): Method<Image> => lbfgs({ preconditioner: pyramidPreconditioner() });

/** A start: one of {@link startNames}, a generator, or an image, which is checked when it is read. */
function start<Input>(
  namesImage: (text: string) => boolean,
): Option<StartName | Input | Generator | OpenGenerator> & { default: 'content' } {
  const accepts = `${startNames.map((name) => `'${name}'`).join(', ')}, an image, or a generator`;
  const image = any(accepts, (value) => typeof value === 'object' && value !== null);
  return {
    accepts,
    default: 'content',
    flag: '--init <start>',
    help: 'start from content, noise, style, a picture, or what a generator (a .safetensors file) paints of the content',
    require(name, value) {
      if (typeof value !== 'string') image.require(name, value);
      else if (!namesImage(value)) requireName(name, value, startNames);
    },
  };
}

const tableOn = <Input>(namesImage: (text: string) => boolean) =>
  optionTable<StyleTransferOptions<Input>>()('styleTransfer', {
    preset: oneOf(presetNames, {
      default: defaultPreset,
      flag: '--preset <name>',
      help: 'a published setting, see below',
    }),
    alpha: number({
      min: 0,
      flag: '--alpha <weight>',
      help: "weight of the content (default: the preset's)",
    }),
    beta: number({ min: 0, flag: '--beta <weight>', help: "weight of the style (default: the preset's)" }),
    balance: balanceOption,
    layerWeights: layerWeightsOption,
    size: number({
      ...pixels,
      flag: '--size <pixels>',
      help: `longer side of the result (default: the content's, at most ${defaultSize})`,
    }),
    styleSize: number({
      ...pixels,
      flag: '--style-size <pixels>',
      help: 'longer side of the style picture: larger makes larger strokes (default: as --size)',
    }),
    scales: scalesOption,
    memory: bytes({
      flag: '--memory <bytes>',
      help: "most memory that the program may take, such as 2GB or 500MB (default: the machine's)",
    }),
    color: oneOf(colorChoices, {
      default: 'style',
      flag: '--color <whose>',
      help: "whose colours: style, content (painted in grey, with the content's chroma), or the content's by recolouring the style first: mean, covariance, histogram",
    }),
    regions: regionsOption as typeof regionsOption & Option<readonly Region<Input>[]>,
    init: start<Input>(namesImage),
    iterations: number({
      min: 1,
      integer: true,
      flag: '--iterations <count>',
      help: "steps at most at the first size (default: the preset's)",
    }),
    maxEvaluations: number({
      min: 1,
      integer: true,
      flag: '--max-evaluations <count>',
      help: 'evaluations of loss and gradient at most (default: unlimited)',
    }),
    tolerance: number({
      min: 0,
      default: 0,
      flag: '--tolerance <gradient>',
      help: 'end when no component of the gradient is larger; 0 never does',
    }),
    stopWhen: stopWhenOption,
    average: averageOption,
    seed: number({ integer: true, default: 0, flag: '--seed <number>', help: 'seed of the noise' }),
    extractor: any<FeatureExtractor>('a FeatureExtractor, such as loadVgg19() gives', isExtractor),
    weights: any<Weights, { flag: string; help: string }>(
      "'vgg19', 'embedded', a URL, a WeightSource, a tf.io.IOHandler, or a map of layers",
      (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
      {
        flag: '--weights <where>',
        help: 'VGG-19: a folder, a file, a URL, vgg19 or embedded (default: cached VGG-19, else embedded)',
      },
    ),
    padding: oneOf(paddings, {
      flag: '--padding <name>',
      help: `what the network sees beyond the border: ${paddings.join(', ')} (default: the preset's)`,
    }),
    loss: any<NonNullable<StyleTransferOptions['loss']>>(
      `a loss, which is ${lossContract}, or a function that makes one`,
      (value) => typeof value === 'function' || isLoss(value),
    ),
    optimizer: any<Method<Image>>(
      'lbfgs(...) or adam(...)',
      (value) => typeof (value as Partial<Method<Image>> | null)?.begin === 'function',
    ),
    ...engineOptions,
    settings: any<SettingsRecord, { flag: string; help: string }>(
      'a settings record, as result.settings is',
      (value) => typeof value === 'object' && value !== null,
      {
        flag: '--settings <file>',
        help: 'repeat a run with the settings that its picture, or a JSON file, holds; other flags override them',
      },
    ),
    signal: abortSignal(),
    onProgress: callback<ProgressListener>(),
  });

/** Every option of `styleTransfer`: type, range, default, and the command's flag and help. */
export const styleTransferOptions = /* @__PURE__ */ tableOn<ImageInput>(() => false);

const conflicts: readonly Conflict<keyof StyleTransferOptions>[] = [
  {
    option: 'loss',
    replaces: ['preset', 'alpha', 'beta', 'layerWeights', 'regions'],
    because: 'the loss alone determines the minimised function',
  },
  extractorConflict,
];

/** The options of a run, checked and complete. */
export type Settings<Input = unknown> = Omit<
  WithDefaults<StyleTransferOptions<Input>, ReturnType<typeof tableOn<Input>>['options']>,
  'preset' | 'iterations' | 'padding' | 'average'
> & {
  readonly preset: Preset;
  readonly iterations: number;
  readonly padding: Padding;
  readonly average: number;
};

/**
 * The arguments of `styleTransfer` after the two images, in both forms: `(alpha, beta, options)` or `(options)`.
 *
 * @throws InvalidArgumentError if an option is unknown, not accepted, or without effect beside another
 */
export function readSettings<Input>(
  platform: Pick<Platform<Input>, 'namesImage'>,
  alphaOrOptions: number | StyleTransferOptions<Input> | undefined,
  beta: number | undefined,
  rest: StyleTransferOptions<Input> | undefined,
): Settings<Input> {
  const weighed = typeof alphaOrOptions === 'number' || beta !== undefined || rest !== undefined;
  if (
    !weighed &&
    (typeof alphaOrOptions !== 'object' || alphaOrOptions === null) &&
    alphaOrOptions !== undefined
  )
    throw wrongThirdArgument(alphaOrOptions);
  const options = weighed ? rest : alphaOrOptions;
  const table = tableOn<Input>(platform.namesImage ?? (() => false));
  const read = table.read(options);
  const given: StyleTransferOptions<Input> = options ?? {};
  let { alpha, beta: styleWeight } = read;
  if (weighed) {
    table.options.alpha.require('alpha', alphaOrOptions);
    table.options.beta.require('beta', beta);
    requireOnce('alpha', given.alpha);
    requireOnce('beta', given.beta);
    [alpha, styleWeight] = [alphaOrOptions as number, beta];
  }
  requireNoConflict<keyof StyleTransferOptions>({ ...given, alpha, beta: styleWeight }, conflicts);
  requireScalesFit(given);
  requireColorApplies(read);
  enginesFor(given, tf.getBackend());
  const preset = weighedPreset(getPreset(read.preset), read);
  const { scales, size = typeof scales === 'object' ? scales.at(-1)?.size : undefined } = read;
  const { iterations = preset.iterations, optimizer = preset.optimizer?.() } = read;
  const { padding = preset.padding ?? 'zero', average = preset.average ?? 0 } = read;
  return { ...read, alpha, beta: styleWeight, preset, size, iterations, optimizer, padding, average };
}

function wrongThirdArgument(value: unknown): InvalidArgumentError {
  const accepted = 'alpha, a number, or options, a plain record';
  return new InvalidArgumentError(
    'WRONG_TYPE',
    `The third argument is ${showValue(value)}; accepted: ${accepted}.`,
    { option: 'alpha', value, accepted },
  );
}

/** Throws if a weight that is an argument is an option as well. */
function requireOnce(name: 'alpha' | 'beta', value: number | undefined): void {
  if (value === undefined) return;
  throw new InvalidArgumentError(
    'CONFLICTING_OPTIONS',
    `${name} is given twice: as the argument ${name} and as the option ${name}. Leave one of the two out.`,
    { option: name, value, accepted: `${name} once` },
  );
}

function isExtractor(value: unknown): boolean {
  const { extract, linearize, layers } = (value ?? {}) as Partial<FeatureExtractor>;
  return typeof extract === 'function' && typeof linearize === 'function' && Array.isArray(layers);
}
