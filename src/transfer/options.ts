import { type Engine, engines, type Weights } from '../engines/load-vgg19';
import { requireRelaxedSimd } from '../engines/wasm/runtime/wasm-simd';
import { InvalidArgumentError } from '../errors';
import type { FeatureExtractor } from '../features/extractor';
import type { Image } from '../image/image';
import type { ImageInput } from '../image/to-image';
import type { Loss } from '../losses/loss';
import type { Method } from '../optim';
import { showValue } from '../options/show';
import { requireKnownOptions, requireName, requireNumber } from '../options/validate';
import type { LossTargets } from './preset-loss';
import { defaultPreset, getPreset, type Preset, type PresetName } from './presets';
import type { ProgressListener } from './progress';

/** Options of {@link styleTransfer}. */
export interface StyleTransferOptions {
  /** A published setting: layers, losses, weights, iterations. @default 'li2021' */
  readonly preset?: PresetName | undefined;
  /** Weight of the content, at least 0. @default the preset's */
  readonly alpha?: number | undefined;
  /** Weight of the style, at least 0. @default the preset's */
  readonly beta?: number | undefined;
  /** Longer side of the result in pixels, 16 to 8192. @default the content image's own, at most 512 */
  readonly size?: number | undefined;
  /** Longer side of the style image in pixels: larger makes finer strokes. @default as `size`, for the style image */
  readonly styleSize?: number | undefined;
  /** Where to start: from the content (keeps its structure), seeded noise, the style, or an image of yours. @default 'content' */
  readonly init?: 'content' | 'noise' | 'style' | ImageInput | undefined;
  /** The most steps of the optimiser. @default the preset's */
  readonly iterations?: number | undefined;
  /** The most evaluations of loss and gradient. @default unlimited */
  readonly maxEvaluations?: number | undefined;
  /** Stop when the projected gradient's largest component is at most this. @default 0, go on for all iterations */
  readonly tolerance?: number | undefined;
  /** Seed of the noise. @default 0 */
  readonly seed?: number | undefined;
  /** A network that you have loaded; it stays yours. @default loaded with `weights` and disposed at the end */
  readonly extractor?: FeatureExtractor | undefined;
  /** Where VGG-19's weights are. @default what is there without network: see `loadVgg19` */
  readonly weights?: Weights | undefined;
  /**
   * A loss of yours in place of the preset's, or a function that makes one. Of the latter, the loss is disposed at the end, and the
   * features that it extracted once it returns: losses of the library keep what they need, one of yours keeps it by `tf.keep(tf.clone(...))`.
   */
  readonly loss?: Loss | ((targets: LossTargets) => Loss) | undefined;
  /** @default L-BFGS of 20 pairs with a pyramid preconditioner */
  readonly optimizer?: Method<Image> | undefined;
  /** What computes the network. @default 'auto', the faster one here */
  readonly engine?: Engine | undefined;
  /** Threads of the wasm engine. @default the processor's cores, at most 8 */
  readonly threads?: number | undefined;
  /** Up to a fifth faster on some processors, with last digits that differ between them; see `loadVgg19`. @default false */
  readonly relaxedSimd?: boolean | undefined;
  /** Aborts within one evaluation; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

const optionNames = Object.keys({
  preset: 0,
  alpha: 0,
  beta: 0,
  size: 0,
  styleSize: 0,
  init: 0,
  iterations: 0,
  maxEvaluations: 0,
  tolerance: 0,
  seed: 0,
  extractor: 0,
  weights: 0,
  loss: 0,
  optimizer: 0,
  engine: 0,
  threads: 0,
  relaxedSimd: 0,
  signal: 0,
  onProgress: 0,
} satisfies Record<keyof StyleTransferOptions, 0>);

/** Options with every default that does not depend on the images filled in. */
export type CheckedOptions = StyleTransferOptions & {
  readonly preset: PresetName;
  readonly settings: Preset;
  readonly init: NonNullable<StyleTransferOptions['init']>;
  readonly iterations: number;
  readonly maxEvaluations: number;
  readonly tolerance: number;
  readonly seed: number;
  readonly engine: Engine;
};

/** Longer side of the result where neither the caller nor a smaller content image says otherwise. */
export const defaultSize = 512;

/** The arguments after the two images, in either form, checked before any work. */
export function checkOptions(
  alphaOrOptions: number | StyleTransferOptions | undefined,
  beta: number | undefined,
  rest: StyleTransferOptions | undefined,
): CheckedOptions {
  const given =
    typeof alphaOrOptions === 'number' ? { ...rest, alpha: alphaOrOptions, beta } : (alphaOrOptions ?? {});
  if (typeof given !== 'object') {
    throw new InvalidArgumentError(
      'WRONG_TYPE',
      `The third argument is ${showValue(given)}; accepted: alpha, or options.`,
      {
        option: 'alpha',
        value: given,
        accepted: 'a number, or an options record',
      },
    );
  }
  requireKnownOptions('styleTransfer', given, optionNames);
  if (typeof alphaOrOptions === 'number') requireNumber('beta', beta, { min: 0 });
  const { preset = defaultPreset, init = 'content', seed = 0, tolerance = 0, engine = 'auto' } = given;
  const settings = getPreset(preset);
  const { iterations = settings.iterations, maxEvaluations = Number.MAX_SAFE_INTEGER } = given;
  requireOptional('alpha', given.alpha, { min: 0 });
  requireOptional('beta', given.beta, { min: 0 });
  requireOptional('size', given.size, { min: 16, max: 8192, integer: true });
  requireOptional('styleSize', given.styleSize, { min: 16, max: 8192, integer: true });
  requireOptional('threads', given.threads, { min: 1, max: 64, integer: true });
  requireNumber('iterations', iterations, { min: 1, integer: true });
  requireNumber('maxEvaluations', maxEvaluations, { min: 1, integer: true });
  requireNumber('tolerance', tolerance, { min: 0 });
  requireNumber('seed', seed, { integer: true });
  requireName('engine', engine, engines);
  if (given.relaxedSimd !== undefined) requireRelaxedSimd(given.relaxedSimd);
  if (typeof init === 'string') requireName('init', init, ['content', 'noise', 'style']);
  return { ...given, preset, settings, init, iterations, maxEvaluations, tolerance, seed, engine };
}

function requireOptional(name: string, value: unknown, range: Parameters<typeof requireNumber>[2]): void {
  if (value !== undefined) requireNumber(name, value, range);
}
