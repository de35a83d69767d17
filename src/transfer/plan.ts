import type { EngineExtractor, MemoryRequest } from '../engines/engine';
import { untileable } from '../engines/shared/tileable';
import type { ErrorCode } from '../error-codes';
import { EnvironmentError } from '../errors';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import type { Size } from '../image/size-rule';
import { leaves } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { historyBytes, type Method } from '../optim';
import { defaultOptimizer, type Settings } from './options';
import { presetLayers } from './presets';
import type { RunPlan } from './progress';
import { pixels } from './scales';
import type { Schedule, Stage } from './schedule';

/** How a stage keeps to its memory. */
export interface StageMemory {
  readonly plan: RunPlan;
  /** Bytes for the engine's maps, targets and tiles; undefined is no limit but its own. */
  readonly room: number | undefined;
  /** The optimiser, with a history that fits. */
  readonly method: Method<Image>;
}

/**
 * Pairs of a history that is shortened before an image is computed by tiles, and only where these do not fit either. On
 * 256 pixels and the paper's five layers, 20 pairs take a tenth more evaluations than 50, and tiles at most 1.4 times
 * the time of each; 5 pairs do not reach that loss at all.
 */
const [enoughPairs, leastPairs] = [20, 5];

/** Bytes of the program itself: Node, libraries, threads and the network's weights. */
const programBytes = 200e6;

/**
 * Plans the memory of every stage, before any image is decoded: the optimiser's history shrinks first to 20 pairs, then
 * the engine computes by tiles, and then the history shrinks to 5.
 *
 * @param style size of the style image in the last stage
 * @param limit bytes that the whole program may take
 * @throws EnvironmentError `OUT_OF_MEMORY`, which names the size that would fit; `NOT_TILEABLE` if only tiles fit and
 *   cannot compute the loss
 */
export function planStages(
  settings: Settings<unknown>,
  extractor: EngineExtractor,
  stages: Schedule,
  style: Size,
  limit: number,
): readonly StageMemory[] {
  const planAt = (size: Size, { scale, iterations }: Pick<Stage, 'scale' | 'iterations'>) =>
    planSizes(settings, extractor, { size, style: scaled(style, scale), iterations }, limit - programBytes);
  return stages.map((stage) => {
    const planned = planAt(stage, stage);
    if ('plan' in planned) return planned;
    if (planned.reason?.code === 'NOT_TILEABLE') throw planned.reason;
    const last = stages[stages.length - 1];
    const fits = (scale: number) => 'plan' in planAt(scaled(last, scale), { ...last, scale });
    throw tooLarge(last, limit, fits, planned.reason);
  });
}

/** The sizes of a stage's images, and its number of iterations. */
interface Sizes {
  readonly size: Size;
  readonly style: Size;
  readonly iterations: number;
}

/** A stage that does not fit. */
interface Unfit {
  readonly pairs: number;
  /** The engine's reason; undefined if images and vectors alone do not fit. */
  readonly reason?: EnvironmentError | undefined;
}

/**
 * The plan of a stage: as few tiles as a shorter history allows, and then as many pairs as these tiles leave room for.
 */
function planSizes(
  settings: Settings<unknown>,
  extractor: EngineExtractor,
  { iterations, ...sizes }: Sizes,
  limit: number,
): StageMemory | Unfit {
  const { optimizer = defaultOptimizer() } = settings;
  const withPairs = (pairs: number) =>
    planMethod(settings, extractor, sizes, limit, optimizer.withPairs?.(pairs) ?? optimizer);
  // Every step makes one pair at most.
  const most = withPairs(iterations);
  const enough = withPairs(Math.min(enoughPairs, iterations));
  if ('plan' in enough)
    return withMorePairs(enough, most, withPairs, ({ plan }) => plan.tiles === enough.plan.tiles);
  const least = withPairs(Math.min(leastPairs, iterations));
  return 'plan' in least ? withMorePairs(least, enough, withPairs, () => true) : least;
}

/** The accepted plan with the most pairs between two. */
function withMorePairs(
  least: StageMemory,
  most: StageMemory | Unfit,
  withPairs: (pairs: number) => StageMemory | Unfit,
  accepts: (planned: StageMemory) => boolean,
): StageMemory {
  if ('plan' in most && accepts(most)) return most;
  let best = least;
  let tooMany = 'plan' in most ? most.plan.pairs : most.pairs;
  while (tooMany - best.plan.pairs > 1) {
    const pairs = (best.plan.pairs + tooMany) >> 1;
    const planned = withPairs(pairs);
    if ('plan' in planned && accepts(planned)) best = planned;
    else tooMany = pairs;
  }
  return best;
}

/** The plan of a stage with a method as it is. */
function planMethod(
  settings: Settings<unknown>,
  extractor: EngineExtractor,
  { size, style }: Pick<Sizes, 'size' | 'style'>,
  limit: number,
  method: Method<Image>,
): StageMemory | Unfit {
  const components = 3 * size.width * size.height;
  const { pairs, bits } = method.history?.(packs(extractor)) ?? { pairs: 0, bits: 32 };
  const history = historyBytes({ pairs, bits }, components);
  const vectors = 4 * components * ((method.vectors ?? 0) + ownVectors);
  const images = 12 * (imagesAtOnce(settings) * size.width * size.height + style.width * style.height);
  const room = limit - images - vectors - history;
  if (room <= 0 || vectors + history > (extractor.vectorRoom ?? Infinity)) return { pairs };
  try {
    const request = requestOf(settings, { size, style });
    const engine = request && extractor.plan?.(room === Infinity ? request : { ...request, room });
    const { bytes, maps, targets, tiles } = engine ?? { bytes: 0, maps: 0, targets: 0, tiles: 1 };
    const all = bytes + images + vectors + history;
    return {
      plan: { bytes: all, maps, targets, images, vectors, history, tiles, pairs },
      room: room === Infinity ? undefined : room,
      method,
    };
  } catch (error) {
    if (error instanceof EnvironmentError && unfitCodes.includes(error.code)) return { pairs, reason: error };
    throw error;
  }
}

const unfitCodes: readonly string[] = ['OUT_OF_MEMORY', 'NOT_TILEABLE'] satisfies readonly ErrorCode[];

/** An engine with memory of its own for vectors stores them in 8 bits too. */
export const packs = ({ vectorRoom }: EngineExtractor) => vectorRoom !== undefined;

/**
 * The content image, the start, the result, and its copy for a file; of a run in grey also the content in grey and in
 * colours, and an image while it gets its chroma.
 */
const imagesAtOnce = ({ color }: Settings<unknown>) => (color === 'content' ? 7 : 4);

/** Vectors of `minimize` beside its method's: a third of one for the pyramid of the preconditioner. */
const ownVectors = 1;

/** What the engine is asked for; undefined for a loss made later by a function, which is not known yet. */
function requestOf(
  { loss, preset }: Settings<unknown>,
  { size, style }: Pick<Sizes, 'size' | 'style'>,
): MemoryRequest | undefined {
  if (typeof loss === 'function') return undefined;
  if (loss)
    return {
      layers: loss.layers,
      size: shapeOf(size),
      featureTargets: featureTargetsOf(loss),
      tileable: untileable(loss) === undefined,
    };
  return {
    layers: presetLayers(preset),
    size: shapeOf(size),
    featureTargets: [...preset.content.layers, ...(preset.perceptual?.layers ?? [])],
    style: { layers: preset.style.layers, size: shapeOf(style) },
  };
}

/** Layers whose maps a loss compares with a target. */
function featureTargetsOf(loss: Loss): LayerName[] {
  const terms = leaves(loss).flatMap((leaf) => leaf.loss.terms ?? []);
  return terms.flatMap(({ kind, layer }) => (kind === 'feature' && layer !== 'image' ? [layer] : []));
}

const shapeOf = ({ height, width }: Size) => [height, width] as const;

const scaled = ({ width, height }: Size, factor: number): Size => ({
  width: Math.max(1, Math.round(width * factor)),
  height: Math.max(1, Math.round(height * factor)),
});

/** The error of a run that does not fit, with the largest longer side that would. */
function tooLarge(
  { width, height }: Size,
  limit: number,
  fits: (scale: number) => boolean,
  cause: EnvironmentError | undefined,
): EnvironmentError {
  const longer = Math.max(width, height);
  let [least, most] = [pixels.min - 1, longer];
  while (most - least > 1) {
    const middle = (least + most) >> 1;
    if (fits(middle / longer)) least = middle;
    else most = middle;
  }
  const accepted =
    least < pixels.min ? 'a higher limit: not even the smallest size fits' : `a size of at most ${least}`;
  const within = limit === Infinity ? 'the memory of the engine' : `${gigabytes(limit)} of memory`;
  return new EnvironmentError(
    'OUT_OF_MEMORY',
    `Painting ${width} x ${height} pixels does not fit into ${within}; accepted: ${accepted}.`,
    { option: 'size', value: longer, accepted, cause },
  );
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toPrecision(3)} GB`;
