import * as tf from '@tensorflow/tfjs-core';
import type { EngineExtractor } from '../engines/engine';
import { defaultLastLayer, loadVgg19 } from '../engines/load-vgg19';
import { deepestLayer, type Vgg19Layer } from '../features/vgg19/layers';
import type { Image } from '../image/image';
import type { SizeRule } from '../image/size-rule';
import { type ImageInput, imageFrom } from '../image/to-image';
import type { Loss } from '../losses/loss';
import { createObjective } from '../objective';
import { lbfgs, minimize, pyramidPreconditioner, type StopReason } from '../optim';
import { lendExtractor } from './lend-extractor';
import { defaultSize, readSettings, type Settings, type StyleTransferOptions } from './options';
import { type LossTargets, presetLoss } from './preset-loss';
import { presetLayers } from './presets';
import type { ProgressListener } from './progress';

/** The state of a run after an iteration. */
export interface HistoryEntry {
  /** 0 is the start itself. */
  readonly iteration: number;
  readonly evaluations: number;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
}

/** What {@link styleTransfer} made, and how. */
export interface StyleTransferResult {
  /** [height, width, 3], RGB in [0,1]; freed by `dispose()`. */
  readonly image: Image;
  readonly loss: number;
  /** The weighted contribution of each part of the loss; they add up to `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  readonly history: readonly HistoryEntry[];
  readonly iterations: number;
  readonly evaluations: number;
  readonly stopReason: StopReason;
  readonly elapsedMs: number;
  readonly engine: string;
  /** The tfjs backend. */
  readonly backend: string;
  /** Where the network's weights came from. */
  readonly weights: string;
  /** True where no VGG-19 was found and the small network that comes with this package stood in. */
  readonly embedded: boolean;
  /** Frees the image. Safe to call twice. */
  dispose(): void;
}

/**
 * Paints the content image in the style of the other: minimises alpha * content loss + beta * style loss over the pixels by L-BFGS in the
 * box [0,1] (Gatys et al. 2016; Li et al. 2021).
 *
 * @param content what is to be seen; any {@link ImageInput}
 * @param style how it is to be painted; any size
 * @param alpha weight of the content, at least 0
 * @param beta weight of the style, at least 0; published values go with a preset
 * @param options see {@link StyleTransferOptions}
 * @returns the image and how it came about; it belongs to the caller
 * @throws StyleTransferError before any work if an argument is wrong; an abort rejects with the signal's reason
 * @example
 * ```ts
 * const { image } = await styleTransfer(content, style, 1, 1e6, { onProgress: console.log });
 * ```
 */
export async function styleTransfer(
  content: ImageInput,
  style: ImageInput,
  alpha: number,
  beta: number,
  options?: StyleTransferOptions,
): Promise<StyleTransferResult>;
export async function styleTransfer(
  content: ImageInput,
  style: ImageInput,
  options?: StyleTransferOptions,
): Promise<StyleTransferResult>;
export async function styleTransfer(
  content: ImageInput,
  style: ImageInput,
  alphaOrOptions?: number | StyleTransferOptions,
  beta?: number,
  rest?: StyleTransferOptions,
): Promise<StyleTransferResult> {
  const options = readSettings(alphaOrOptions, beta, rest);
  options.signal?.throwIfAborted();
  const owned: { dispose?(): void }[] = [];
  const own = <T extends { dispose?(): void }>(thing: T): T => {
    owned.push(thing);
    return thing;
  };
  try {
    const contentImage = own(await imageFrom('content', content, targetSize(options.size)));
    const styleImage = own(await imageFrom('style', style, targetSize(options.styleSize ?? options.size)));
    const start = own(await startImage(options, contentImage, styleImage));
    const extractor = options.extractor ?? own(await loadExtractor(options));
    requireRoom(options, extractor, sizeOf(contentImage), sizeOf(styleImage));
    const loss = makeLoss(options, { extractor, content: contentImage, style: styleImage });
    if (loss !== options.loss) own(loss);
    return await run(options, extractor, loss, start);
  } finally {
    for (const thing of owned.reverse()) thing.dispose?.();
  }
}

function targetSize(size: number | undefined): SizeRule {
  return size === undefined ? { atMost: defaultSize } : { longerSide: size };
}

async function startImage({ init, seed }: Settings, content: Image, style: Image): Promise<Image> {
  const [height, width] = content.shape;
  if (init === 'content') return tf.clone(content);
  if (init === 'noise') return tf.randomUniform([height, width, 3], 0, 1, 'float32', seed);
  return imageFrom('init', init === 'style' ? style : init, { width, height });
}

async function loadExtractor(options: Settings): Promise<EngineExtractor> {
  const { preset, weights, engine, threads, relaxedSimd, signal, onProgress } = options;
  return loadVgg19({
    weights,
    lastLayer: lastLayerOf(options),
    pooling: preset.pooling,
    engine,
    threads,
    relaxedSimd,
    signal,
    onProgress,
    onWarning: (warning) => onProgress?.({ type: 'warning', ...warning }),
  });
}

/** How deep the network has to be. A loss that is given says; one that is made later may ask for any of the preset's layers. */
export function lastLayerOf({ loss, preset }: Settings): Vgg19Layer {
  return deepestLayer(typeof loss === 'object' ? loss.layers : presetLayers(preset)) ?? defaultLastLayer;
}

/** A size that memory cannot hold is refused before targets are computed. A loss that is made later speaks for itself. */
function requireRoom(
  { loss, preset, optimizer }: Settings,
  extractor: EngineExtractor,
  size: Size,
  styleSize: Size,
): void {
  const { vectors } = optimizer ?? defaultOptimizer();
  if (loss === undefined)
    extractor.requireRoom?.(presetLayers(preset), size, {
      featureTargets: [...preset.content.layers, ...(preset.perceptual?.layers ?? [])],
      style: { layers: preset.style.layers, size: styleSize },
      vectors,
    });
  else if (typeof loss === 'object') extractor.requireRoom?.(loss.layers, size, { vectors });
}

type Size = readonly [height: number, width: number];

const sizeOf = ({ shape }: Image): Size => [shape[0], shape[1]];

const defaultOptimizer = () => lbfgs({ preconditioner: pyramidPreconditioner() });

function makeLoss(options: Settings, targets: LossTargets): Loss {
  const { loss, preset, alpha, beta } = options;
  if (typeof loss !== 'function') return loss ?? presetLoss(preset, targets, { alpha, beta });
  const { lent, reclaim } = lendExtractor(targets.extractor);
  try {
    return loss({ ...targets, extractor: lent });
  } finally {
    reclaim();
  }
}

async function run(
  options: Settings,
  extractor: EngineExtractor,
  loss: Loss,
  start: Image,
): Promise<StyleTransferResult> {
  const { iterations, maxEvaluations = Infinity, tolerance, signal, onProgress = () => {} } = options;
  const [height, width] = start.shape;
  const about = {
    engine: extractor.engine ?? 'unknown',
    backend: tf.getBackend(),
    weights: extractor.weights ?? extractor.name,
    embedded: extractor.embedded ?? false,
  };
  const objective = createObjective(extractor, loss, [height, width]);
  const history: HistoryEntry[] = [];
  const startTime = performance.now();
  const best = new BestImage(start);
  try {
    const preset = options.loss ? undefined : options.preset.name;
    await onProgress({ type: 'start', width, height, preset, ...about, layers: loss.layers });
    const found = await minimize(objective, start, {
      method: options.optimizer ?? defaultOptimizer(),
      bounds: [0, 1],
      maxIterations: iterations,
      maxEvaluations,
      tolerance,
      signal,
      onStep: async ({ iteration, evaluations, value, terms, x }) => {
        const elapsedMs = performance.now() - startTime;
        history.push({ iteration, evaluations, loss: value, terms, elapsedMs });
        best.offer(x, value, evaluations);
        const secondsPerEvaluation = elapsedMs / 1000 / evaluations;
        const evaluationsLeft = Math.min(
          ((iterations - iteration) * evaluations) / Math.max(1, iteration),
          maxEvaluations - evaluations,
        );
        await onProgress({
          type: 'step',
          iteration,
          iterations,
          evaluations,
          loss: value,
          terms,
          elapsedMs,
          secondsPerEvaluation,
          secondsLeft: evaluationsLeft * secondsPerEvaluation,
          image: () => tf.clone(x),
        });
      },
    });
    return {
      image: found.x,
      loss: found.value,
      terms: found.terms,
      history,
      iterations: found.iterations,
      evaluations: found.evaluations,
      stopReason: found.stopReason,
      elapsedMs: performance.now() - startTime,
      ...about,
      dispose: () => found.x.dispose(),
    };
  } catch (reason) {
    await best.report(reason, onProgress);
    throw reason;
  } finally {
    best.dispose();
    objective.dispose();
  }
}

/** Keeps what a run has found so far, so that nothing is lost when it is aborted or fails. */
class BestImage {
  private image: Image;
  private loss = Number.POSITIVE_INFINITY;
  private evaluations = 0;

  constructor(start: Image) {
    this.image = tf.clone(start);
  }

  offer(image: Image, loss: number, evaluations: number): void {
    this.evaluations = evaluations;
    if (!(loss < this.loss)) return;
    this.image.dispose();
    this.image = tf.clone(image);
    this.loss = loss;
  }

  async report(reason: unknown, onProgress: ProgressListener): Promise<void> {
    const { loss, evaluations, image } = this;
    try {
      await onProgress({ type: 'interrupted', reason, loss, evaluations, image: () => tf.clone(image) });
    } catch {
      // The listener itself may be what failed; what it threw first is on its way to the caller.
    }
  }

  dispose(): void {
    this.image.dispose();
  }
}
