import {
  type EngineChoice,
  engineOptions,
  enginesFor,
  extractorConflict,
} from '../../engines/engine-options';
import type { Weights } from '../../engines/load-vgg19';
import { InvalidArgumentError } from '../../errors';
import type { FeatureExtractor } from '../../features/extractor';
import type { Generator } from '../../features/generator';
import { isGenerator } from '../../features/is-generator';
import type { ImageInput } from '../../image/to-image';
import type { Loss } from '../../losses/loss';
import { type Conflict, requireNoConflict } from '../../options/conflicts';
import { abortSignal, any, callback, number, optionTable, type WithDefaults } from '../../options/table';
import { styleTransferOptions } from '../../transfer/options';
import type { LossTargets } from '../../transfer/preset-loss';
import { getPreset, type Preset, type PresetName } from '../../transfer/presets';
import type { Architecture } from '../architectures/architecture';
import { styleNames } from '../architectures/multi-style';
import type { CheckpointStore } from './checkpoint';
import type { TrainingProgress } from './progress';

/** Options of {@link TrainGenerator}. */
export interface TrainGeneratorOptions<Input = ImageInput> {
  /**
   * The picture whose style the generator learns, any size; or a list of one for each style of a network of several,
   * which then paints as any of them and as their blends (Dumoulin et al. 2017). Steps take the styles in turn.
   */
  readonly style: Input | readonly Input[];
  /**
   * Names of the styles, all different, where `style` is a list. A `base` of several styles is trained further under
   * its own names. Under others, these are added to it: their scales and shifts alone are trained, and the base's
   * styles remain to the bit.
   * @default those of `architecture` or of a `base` of several; else numbers from '1'
   */
  readonly styles?: readonly string[] | undefined;
  /** Name of the style or styles, which the generator gets. @default the architecture's name */
  readonly name?: string | undefined;
  /**
   * The kind of network, as `johnson({ width: 16 })` makes one, or for a list of styles `multiStyle()`. Beside a `base`
   * it has to be the base's. One of `arbitrary()` cannot be trained: what finds the style in a picture would need
   * thousands of paintings.
   * @default the base's; without a base `johnson()`
   */
  readonly architecture?: Architecture | undefined;
  /**
   * The generator to start from, of any style: a few hundred steps then do what takes thousands from scratch. `'own'`
   * is the one that comes with this package, `'none'` is a start from scratch. A generator remains the caller's.
   * @default 'own', beside `architecture` 'none'
   */
  readonly base?: 'own' | 'none' | Generator | undefined;
  /**
   * Photographs to train on, decoded when they are needed.
   * @default pictures that are drawn from the seed, with which training does as well
   */
  readonly images?: readonly Input[] | undefined;
  /**
   * How many pictures are drawn, each in about a quarter of a second when it is first needed. Not beside `images`.
   * @default one for six steps, at least 64 and at most 256
   */
  readonly drawn?: number | undefined;
  /** A published setting, of which the losses and weights count. Not beside `loss`. @default 'relative' */
  readonly preset?: PresetName | undefined;
  /** Weight of the content loss, at least 0. Not beside `loss`. @default the preset's */
  readonly alpha?: number | undefined;
  /** Weight of the style loss, at least 0; more makes bolder strokes. Not beside `loss`. @default the preset's */
  readonly beta?: number | undefined;
  /**
   * Makes the loss of each crop, which is disposed after the step. Features that it extracts are freed as soon as it
   * returns. What depends on the style alone is best computed once, outside. The second argument is the number of the
   * style, from 0.
   * @default the preset's loss
   */
  readonly loss?: ((targets: LossTargets, style: number) => Loss) | undefined;
  /**
   * Weight of the logarithm by which two pictures of one crop differ that differ in noise alone, at least 0: with it a
   * network uses its noise (Ulyanov et al. 2017), and each `seed` paints another picture. 0.1 to 0.3 beside the default
   * loss. A step takes about a tenth longer. Only for networks with noise, such as `textureNet()`. @default 0
   */
  readonly diversity?: number | undefined;
  /**
   * Steps, each on one crop of one picture.
   * @default 400 from a base, 1900 from scratch; of several styles as many for each
   */
  readonly steps?: number | undefined;
  /**
   * Height and width in pixels of the crops of the last steps, a multiple of 32 from 64 to 1024; before that they have
   * half of it.
   * @default 256
   */
  readonly size?: number | undefined;
  /**
   * How many of the last steps take crops of `size`, 0 to `steps`. Each takes four times as long as one before them.
   * @default a growing part of more steps: 50 of 400, 800 of 1600, half of more; of several styles as many for each
   */
  readonly finalSteps?: number | undefined;
  /**
   * Longer side of the style picture in pixels, 16 to 16384. Strokes have the size in pixels that they have in it.
   * @default 256
   */
  readonly styleSize?: number | undefined;
  /** Adam's rate at its height. @default 0.003 from a base, 0.002 from scratch */
  readonly learningRate?: number | undefined;
  /** Seed of crops, drawn pictures and, from scratch, weights: equal seeds give equal generators. @default 0 */
  readonly seed?: number | undefined;
  /** Pictures that are not trained on, which events of the type `preview` show painted. @default none */
  readonly preview?: readonly Input[] | undefined;
  /** Steps from one preview to the next. @default 100 */
  readonly previewInterval?: number | undefined;
  /**
   * Where the state is kept, every 25 steps and at the end: a call with the same options goes on from it, to the same
   * generator. In Node, the path of a file.
   * @default nowhere
   */
  readonly checkpoint?: CheckpointStore | undefined;
  /**
   * VGG-19, loaded with every layer of the loss; it remains the caller's. Not beside `weights`, `engine`, `threads` or
   * `relaxedSimd`.
   * @default loaded and disposed by the call
   */
  readonly extractor?: FeatureExtractor | undefined;
  /**
   * As in `styleTransfer`. The loss reads VGG-19 to conv4_1. Where there is only the embedded network, which ends at
   * conv3_1, the default loss goes without its deepest layer, and a warning says so.
   */
  readonly weights?: Weights | undefined;
  /** As in `styleTransfer`. @default 'auto' */
  readonly engine?: EngineChoice | undefined;
  /** As in `styleTransfer`. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /** As in `styleTransfer`. @default false */
  readonly relaxedSimd?: boolean | undefined;
  /** Ends the training within a step, after the checkpoint is written; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each event and awaited. If it throws or rejects, the training ends with that error. */
  readonly onProgress?: ((event: TrainingProgress) => void | Promise<void>) | undefined;
}

const { preset, alpha, beta, seed, extractor, weights, styleSize } = styleTransferOptions.options;

const isList = (value: unknown) => Array.isArray(value) && value.length > 0;

const isStore = (value: unknown) => {
  const { read, write } = (value ?? {}) as Partial<CheckpointStore>;
  return typeof read === 'function' && typeof write === 'function';
};

const tableOf = <Input>() =>
  optionTable<TrainGeneratorOptions<Input>>()('trainGenerator', {
    style: any<Exclude<Input, undefined> | readonly Input[]>(
      'an image, or a list of at least one',
      (value) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0),
    ),
    styles: {
      ...styleNames,
      kind: 'names' as const,
      flag: '--styles <names>',
      help: 'names of the styles, separated by commas (default: those of the files)',
    },
    name: any<string>('a text', (value) => typeof value === 'string' && value !== ''),
    architecture: any<Architecture>(
      'an architecture, such as johnson() makes',
      (value) => typeof (value as Partial<Architecture> | null)?.initialWeights === 'function',
    ),
    base: any<'own' | 'none' | Generator, { flag: string; help: string }>(
      "'own', 'none' or a generator",
      (value) => value === 'own' || value === 'none' || isGenerator(value),
      {
        flag: '--base <generator>',
        help: 'the generator to start from: own (the one of this package), none, or a file (default: own)',
      },
    ),
    images: any<readonly Input[], { flag: string; help: string }>('a list of at least one image', isList, {
      flag: '--images <folder>',
      help: 'a folder of photographs to train on (default: pictures drawn from the seed)',
    }),
    drawn: number({
      min: 1,
      max: 4096,
      integer: true,
      flag: '--drawn <count>',
      help: 'pictures that are drawn to train on (default: one for six steps, 64 to 256)',
    }),
    preset: { ...preset, default: 'relative', help: 'the losses that are trained by' },
    alpha,
    beta: { ...beta, help: "weight of the style: more makes bolder strokes (default: the preset's)" },
    loss: callback<(targets: LossTargets, style: number) => Loss>(),
    diversity: number({
      min: 0,
      default: 0,
      flag: '--diversity <weight>',
      help: 'how much pictures of other noise are to differ, of networks with noise',
    }),
    steps: number({
      min: 1,
      integer: true,
      flag: '--steps <count>',
      help: 'steps of training (default: 400 from a base, 1900 from scratch)',
    }),
    size: number({
      min: 64,
      max: 1024,
      integer: true,
      default: 256,
      flag: '--size <pixels>',
      help: 'side of the last crops, a multiple of 32',
    }),
    finalSteps: number({
      min: 0,
      integer: true,
      flag: '--final-steps <count>',
      help: 'last steps, on crops of that side, others have half of it (default: 50 of 400, half of 1600 and more)',
    }),
    styleSize: {
      ...styleSize,
      default: 256,
      help: 'longer side of the painting: larger makes larger strokes',
    },
    learningRate: number({
      min: 0,
      exclusive: true,
      flag: '--learning-rate <rate>',
      help: "Adam's rate (default: 0.003 from a base, 0.002 from scratch)",
    }),
    seed: { ...seed, help: 'seed of crops, drawn pictures and weights' },
    preview: any<readonly Input[], { flag: string; help: string }>('a list of at least one image', isList, {
      flag: '--preview <picture>',
      help: 'a picture that is painted every 100 steps, beside the output (default: none)',
    }),
    previewInterval: number({ min: 1, integer: true, default: 100 }),
    checkpoint: any<CheckpointStore>('an object with name, read() and write(bytes)', isStore),
    extractor,
    weights,
    ...engineOptions,
    signal: abortSignal(),
    onProgress: callback<NonNullable<TrainGeneratorOptions['onProgress']>>(),
  });

/** Every option of `trainGenerator`. */
export const trainGeneratorOptions = /* @__PURE__ */ tableOf<ImageInput>();

const conflicts: readonly Conflict<keyof TrainGeneratorOptions>[] = [
  {
    option: 'loss',
    replaces: ['preset', 'alpha', 'beta'],
    because: 'the loss alone determines the minimised function',
  },
  { option: 'images', replaces: ['drawn'], because: 'given pictures are trained on in place of drawn ones' },
  { ...extractorConflict, replaces: ['weights', 'engine', 'threads', 'relaxedSimd'] },
];

/** The options of a training, checked and complete but for what depends on the base. */
export type TrainingSettings<Input = unknown> = Omit<
  WithDefaults<TrainGeneratorOptions<Input>, ReturnType<typeof tableOf<Input>>['options']>,
  'preset'
> & { readonly preset: Preset; readonly presetGiven: boolean };

/** The step from one accepted size to the next: half of it is a multiple of what networks' strides need. */
const sizeStep = 32;

/**
 * The options of `trainGenerator`.
 *
 * @throws InvalidArgumentError if an option is unknown, not accepted, or without effect beside another
 */
export function readTraining<Input>(options: TrainGeneratorOptions<Input>): TrainingSettings<Input> {
  const { preset: name, ...read } = tableOf<Input>().read(options);
  if (options.style === undefined) throw noStyle();
  requireNoConflict<keyof TrainGeneratorOptions>({ ...options }, conflicts);
  if (read.styles && !Array.isArray(options.style)) throw oneStyle(read.styles);
  if (read.size % sizeStep !== 0) throw wrongSize(read.size);
  enginesFor(read, undefined);
  return { ...read, preset: getPreset(name), presetGiven: options.preset !== undefined };
}

function noStyle(): InvalidArgumentError {
  const accepted = 'the picture whose style is learned';
  return new InvalidArgumentError('MISSING', `style is missing; accepted: ${accepted}.`, {
    option: 'style',
    value: undefined,
    accepted,
  });
}

function oneStyle(styles: readonly string[]): InvalidArgumentError {
  const accepted = 'name beside one picture, or a list of pictures as style';
  const message = `styles has no effect beside one picture as style; accepted: ${accepted}.`;
  return new InvalidArgumentError('CONFLICTING_OPTIONS', message, {
    option: 'styles',
    value: styles,
    accepted,
  });
}

function wrongSize(size: number): InvalidArgumentError {
  const accepted = `a multiple of ${sizeStep} from 64 to 1024`;
  return new InvalidArgumentError('OUT_OF_RANGE', `size is ${size}; accepted: ${accepted}.`, {
    option: 'size',
    value: size,
    accepted,
  });
}
