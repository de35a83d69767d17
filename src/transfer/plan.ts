import type { EngineExtractor, MemoryPlan, MemoryRequest } from '../engines/engine';
import { untileable } from '../engines/shared/tileable';
import type { ErrorCode } from '../error-codes';
import { EnvironmentError } from '../errors';
import type { LayerName } from '../features/layer-name';
import type { Image } from '../image/image';
import type { Size } from '../image/size-rule';
import { leaves } from '../losses/compose';
import type { Loss } from '../losses/loss';
import { historyBytes, type Method } from '../optim';
import { averageVectors } from '../optim/iterate-average';
import { defaultOptimizer, type Settings } from './options';
import { presetLayers } from './presets';
import type { RunPlan } from './progress';
import type { Region } from './regions';
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

/** Fewest pairs that a history is shortened to for the sake of memory. */
const leastPairs = 5;

/**
 * Time of a run by its plan, in parts of the fastest: work of an evaluation times their number. On 256 pixels and the
 * paper's five layers a history of 64 pairs takes 95 evaluations to a loss, one of 20 pairs 104, and 5 pairs do not
 * reach it in 120.
 */
const timeOf = ({ work, pairs }: RunPlan) => work * (pairs === 0 ? 1 : 1 + 5 / pairs);

/** Bytes of the program itself, measured as 161 MB: Node, libraries, threads and the network's weights. */
const programBytes = 200e6;

/**
 * Plans the memory of every stage, before any image is decoded: a shorter history of the optimiser and tiles, whichever
 * takes less time.
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
  const planAt = (size: Size, { scale, iterations }: Pick<Stage, 'scale' | 'iterations'>, room = Infinity) =>
    planSizes(settings, extractor, {
      size,
      style: scaled(style, scale),
      iterations,
      room,
      limit: limit - programBytes,
    });
  const last = stages[stages.length - 1];
  // WebAssembly's memory does not shrink: what a stage takes of it, the larger ones after it cannot do without.
  let room = Infinity;
  return stages
    .toReversed()
    .map((stage) => {
      const planned = planAt(stage, stage, room);
      if ('plan' in planned) {
        room = Math.min(room, planned.room ?? Infinity);
        return planned;
      }
      if (planned.reason?.code === 'NOT_TILEABLE') throw planned.reason;
      const fits = (scale: number) => 'plan' in planAt(scaled(last, scale), { ...last, scale });
      throw tooLarge(last, limit, fits, planned.reason);
    })
    .toReversed();
}

/** The sizes of a stage's images, its number of iterations, and its limits. */
interface Sizes {
  readonly size: Size;
  readonly style: Size;
  readonly iterations: number;
  /** Bytes for the engine at most. */
  readonly room: number;
  /** Bytes for all. */
  readonly limit: number;
}

/** A stage that does not fit. */
interface Unfit {
  /** The engine's reason; undefined if images and vectors alone do not fit. */
  readonly reason?: EnvironmentError | undefined;
}

/** The plan of a stage that takes the least time: a shorter history leaves room for fewer tiles, and more kept maps. */
function planSizes(
  settings: Settings<unknown>,
  extractor: EngineExtractor,
  { iterations, ...sizes }: Sizes,
): StageMemory | Unfit {
  const { optimizer = defaultOptimizer() } = settings;
  const withPairs = (pairs: number) =>
    planMethod(settings, extractor, sizes, optimizer.withPairs?.(pairs) ?? optimizer);
  const least = withPairs(Math.min(leastPairs, iterations));
  if (!('plan' in least)) return least;
  let best = least;
  // Every step makes one pair at most.
  for (let pairs = Math.min(iterations, mostPairs(optimizer, extractor)); pairs > leastPairs; ) {
    const planned = withPairs(pairs);
    if ('plan' in planned) {
      if (timeOf(planned.plan) < timeOf(best.plan)) best = planned;
      // Fewer pairs would only take longer.
      if (planned.plan.work === 1) break;
    }
    pairs = Math.floor(0.9 * pairs);
  }
  return best;
}

const mostPairs = (method: Method<Image>, extractor: EngineExtractor) =>
  method.history?.(packs(extractor)).pairs ?? 0;

/** The plan of a stage with a method as it is. */
function planMethod(
  settings: Settings<unknown>,
  extractor: EngineExtractor,
  { size, style, room: most, limit }: Omit<Sizes, 'iterations'>,
  method: Method<Image>,
): StageMemory | Unfit {
  const components = 3 * size.width * size.height;
  const { pairs, bits } = method.history?.(packs(extractor)) ?? { pairs: 0, bits: 32 };
  const history = historyBytes({ pairs, bits }, components);
  const averages = settings.average > 0 ? averageVectors : 0;
  const vectors = 4 * components * ((method.vectors ?? 0) + ownVectors + averages);
  const pictures = 12 * (imagesAtOnce(settings) * size.width * size.height + style.width * style.height);
  const images = masksBytes(settings, size, style) + pictures;
  const room = Math.min(most, limit - images - vectors - history);
  if (room <= 0 || vectors + history > (extractor.vectorRoom ?? Infinity)) return {};
  try {
    const request = requestOf(settings, { size, style });
    const engine = request && extractor.plan?.(room === Infinity ? request : { ...request, room });
    const { bytes, maps, targets, tiles, work = tiles } = engine ?? nothing;
    const all = bytes + images + vectors + history;
    return {
      plan: { bytes: all, maps, targets, images, vectors, history, tiles, work, pairs },
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

/**
 * The content image, the start, the result, its copy for a file, and what decoding and encoding take for a while,
 * measured as three and a half more; of a run in grey also the content in grey and in colours, and an image while it
 * gets its chroma.
 */
const imagesAtOnce = ({ color, balance }: Settings<unknown>) =>
  // Balancing takes the start of the run and an image of one colour, one after the other in two copies.
  (color === 'content' ? 11 : 8) + (balance === 'none' ? 0 : 3);

/** Masks as tensors, at the size of the image and pooled, and the colours of one that is decoded. */
function masksBytes({ regions }: Settings<unknown>, size: Size, style: Size): number {
  if (!regions) return 0;
  const [painted, styled] = [size.width * size.height, style.width * style.height];
  return 4 * regions.length * (2 * painted + styled) + 12 * Math.max(painted, styled);
}

/** Whether a region has another weight of content than the rest. */
const weighsContent = (regions: readonly Region<unknown>[]) =>
  regions.some(({ contentWeight = 1 }) => contentWeight !== 1);

/** The plan of an engine that makes none. */
const nothing: MemoryPlan = { bytes: 0, maps: 0, targets: 0, tiles: 1 };

/** Vectors of `minimize` beside its method's: a third of one for the pyramid of the preconditioner. */
const ownVectors = 1;

/** What the engine is asked for; undefined for a loss made later by a function, which is not known yet. */
function requestOf(
  { loss, preset, regions }: Settings<unknown>,
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
    masks: regions && { styles: regions.length, content: weighsContent(regions) },
    tileable: (preset.style.statistic ?? 'gram') === 'gram',
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
  const memory = limit === Infinity ? 'the memory of the engine' : `${gigabytes(limit)} of memory`;
  const within = cause?.option === 'backend' ? `the largest tensors of the ${cause.value} backend` : memory;
  return new EnvironmentError(
    'OUT_OF_MEMORY',
    `Painting ${width} x ${height} pixels does not fit into ${within}; accepted: ${accepted}.`,
    { option: 'size', value: longer, accepted, cause },
  );
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toPrecision(3)} GB`;
