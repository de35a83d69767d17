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
import type { Schedule } from './schedule';

/** How a stage keeps to its memory. */
export interface StageMemory {
  readonly plan: RunPlan;
  /** Bytes for the engine's maps, targets and tiles; undefined is no limit but its own. */
  readonly room: number | undefined;
  /** The optimiser, with a history that fits. */
  readonly method: Method<Image>;
}

/** Fewest pairs that a history is shortened to for the sake of memory. */
const leastPairs = 5;

/** Bytes of the program itself: Node, libraries, threads and the network's weights. */
const programBytes = 200e6;

/**
 * Plans the memory of every stage, before any image is decoded: the optimiser's history shrinks first, then the engine
 * computes by tiles.
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
  const planAt = (size: Size, scale: number) =>
    planSizes(settings, extractor, { size, style: scaled(style, scale) }, limit - programBytes);
  return stages.map((stage) => {
    const planned = planAt(stage, stage.scale);
    if ('plan' in planned) return planned;
    if (planned.reason?.code === 'NOT_TILEABLE') throw planned.reason;
    const { width, height } = stages[stages.length - 1];
    const fits = (scale: number) => 'plan' in planAt(scaled({ width, height }, scale), scale);
    throw tooLarge({ width, height }, limit, fits, planned.reason);
  });
}

/** The sizes of a stage's images. */
interface Sizes {
  readonly size: Size;
  readonly style: Size;
}

/** The reason of an engine why a stage does not fit; undefined if its images and vectors alone do not. */
interface Unfit {
  readonly reason?: EnvironmentError | undefined;
}

/** The plan of a stage with as few tiles as possible, and then as many pairs as these allow. */
function planSizes(
  settings: Settings<unknown>,
  extractor: EngineExtractor,
  sizes: Sizes,
  limit: number,
): StageMemory | Unfit {
  const { optimizer = defaultOptimizer() } = settings;
  const planWith = (method: Method<Image>) => planMethod(settings, extractor, sizes, limit, method);
  const withPairs = (pairs: number) => planWith(optimizer.withPairs?.(pairs) ?? optimizer);
  const most = planWith(optimizer);
  const least = withPairs(leastPairs);
  if (!('plan' in least)) return least;
  const { tiles } = least.plan;
  if ('plan' in most && most.plan.tiles === tiles) return most;
  let best = least;
  let [fitting, tooMany] = [leastPairs, optimizer.history?.(packs(extractor)).pairs ?? leastPairs];
  while (tooMany - fitting > 1) {
    const pairs = (fitting + tooMany) >> 1;
    const planned = withPairs(pairs);
    if ('plan' in planned && planned.plan.tiles === tiles) [best, fitting] = [planned, pairs];
    else tooMany = pairs;
  }
  return best;
}

/** The plan of a stage with a method as it is. */
function planMethod(
  settings: Settings<unknown>,
  extractor: EngineExtractor,
  { size, style }: Sizes,
  limit: number,
  method: Method<Image>,
): StageMemory | Unfit {
  const components = 3 * size.width * size.height;
  const { pairs, bits } = method.history?.(packs(extractor)) ?? { pairs: 0, bits: 32 };
  const history = historyBytes({ pairs, bits }, components);
  const vectors = 4 * components * ((method.vectors ?? 0) + ownVectors);
  const images = 12 * (imagesAtOnce * size.width * size.height + style.width * style.height);
  const room = limit - images - vectors - history;
  if (room <= 0 || vectors + history > (extractor.vectorRoom ?? Infinity)) return {};
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
    if (error instanceof EnvironmentError && unfitCodes.includes(error.code)) return { reason: error };
    throw error;
  }
}

const unfitCodes: readonly string[] = ['OUT_OF_MEMORY', 'NOT_TILEABLE'] satisfies readonly ErrorCode[];

/** An engine with memory of its own for vectors stores them in 8 bits too. */
export const packs = ({ vectorRoom }: EngineExtractor) => vectorRoom !== undefined;

/** The content image, the start, the result, and its copy for a file. */
const imagesAtOnce = 4;

/** Vectors of `minimize` beside its method's. */
const ownVectors = 4;

/** What the engine is asked for; undefined for a loss made later by a function, which is not known yet. */
function requestOf({ loss, preset }: Settings<unknown>, { size, style }: Sizes): MemoryRequest | undefined {
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
