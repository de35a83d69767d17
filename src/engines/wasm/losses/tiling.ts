import type { LayerName } from '../../../features/layer-name';
import { bandExtents, rowsOfBands, strideOf } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import type { Network } from '../network/network';
import {
  halvingsOf,
  layerShape,
  type PassOptions,
  placesOf,
  planPass,
  stageCount,
} from '../network/pass-plan';
import { gramTermBytes } from './gram-term';
import { histogramTermBytes } from './histogram-term';
import { maskBytes } from './mask-weights';
import { momentsTermBytes } from './moments-term';
import { patchGramBytes } from './patch-gram-term';
import { featureTermBytes, variationTermBytes } from './terms';

/** What an objective computes, as far as its memory depends on it. */
export interface ObjectiveRequest {
  /** All layers of the loss. */
  readonly layers: readonly LayerName[];
  /** Whether the first convolution is computed from the image by all that read it. */
  readonly firstFromImage: boolean;
  /** Targets of terms that compare feature maps; terms may share one. */
  readonly features: readonly FeatureRequest[];
  /** Layers of terms that compare Gram matrices. */
  readonly grams: readonly LayerName[];
  /** Layers of terms that compare other statistics. */
  readonly statistics?: readonly LayerName[];
  /** Layers whose gradients come from tfjs, one map at a time. */
  readonly cotangents: readonly LayerName[];
  /** Masks of terms, each with the layers that it is needed at. */
  readonly masks: readonly (readonly LayerName[])[];
}

/** A target of terms that compare feature maps. */
export interface FeatureRequest {
  readonly layer: LayerName;
  /** Whether it is computed from an image; else it is there as a tensor. */
  readonly fromImage: boolean;
}

/** How an objective divides its work and what it keeps. */
export interface Tiling {
  /** Rows of the image that a band owns, as of `bandsOf`; all of them for the image as a whole. */
  readonly rows: number;
  /**
   * The first stage whose maps are kept whole from the first pass over all bands, so that the second one does not
   * compute them again; the number of stages if none are. One band keeps all of its maps anyway.
   */
  readonly keptFrom: number;
  /** Whether targets of the size of feature maps are held; else the target of each band is made anew. */
  readonly holdsTargets: boolean;
}

/** Bytes of a {@link Tiling}. */
export interface TilingBytes {
  /** Maps and gradients, of one band at a time and those that are kept. */
  readonly maps: number;
  /** Targets that are held. */
  readonly targets: number;
}

/** Options of the passes of a tiling. */
export function passesOf(
  network: Network,
  { layers, firstFromImage, features }: ObjectiveRequest,
  { keptFrom }: Tiling,
  alone: boolean,
): { readonly first: PassOptions; readonly second: PassOptions; readonly target: PassOptions } {
  const kept = alone ? undefined : keptFrom;
  const second: PassOptions = { layers, backward: 'once', firstFromImage, keptFrom: kept };
  return {
    // With one band, the second pass goes on with what the first one has left.
    first: alone ? second : { layers, backward: 'never', firstFromImage },
    second,
    target: { layers: imageTargets(network, features), backward: 'never' },
  };
}

/** Layers of the network with targets that are computed from an image. */
const imageTargets = ({ places }: Network, features: readonly FeatureRequest[]): readonly LayerName[] => [
  ...new Set(features.flatMap(({ layer, fromImage }) => (fromImage && places.has(layer) ? layer : []))),
];

/** Additional bytes of an objective for images of a size, beside the memory in use. */
export function tilingBytes(
  network: Network,
  size: Size,
  request: ObjectiveRequest,
  tiling: Tiling,
): TilingBytes {
  const [height, width] = size;
  const { layers, firstFromImage, features, grams, statistics = [], cotangents, masks } = request;
  const { rows, holdsTargets } = tiling;
  const { places, steps } = network;
  const { count, highest } = bandExtents(steps, layers, height, rows);
  const floatsOf = (layer: LayerName): number => product(layerShape(network, size, layer));
  /** Values of the rows of a layer that a band owns, at most. */
  const ownedFloats = (layer: LayerName): number =>
    product(layerShape(network, [Math.min(rows, height), width], layer));
  const gramBytes = (layer: LayerName): number => {
    const channels = layerShape(network, size, layer)[3];
    const first = places.get(layer)?.stage === 0;
    return firstFromImage && first ? patchGramBytes(channels) : gramTermBytes(channels);
  };
  const passes = Object.values(passesOf(network, request, tiling, count === 1));
  // The gradient of a band; and the image, if a loss reads it.
  const image = imageBytes(highest, width);
  const targets = sum(
    features.map(({ layer }) => targetBytes((holdsTargets ? floatsOf : ownedFloats)(layer))),
  );
  const kept = count === 1 ? [] : keptMaps(network, size, layers, tiling);
  const maps = sum([
    Math.max(...passes.map((options) => planPass(network, highest, width, options).bytes)),
    image,
    ...(layers.includes('image') ? [image, variationTermBytes] : []),
    ...kept.map(({ output, pooled }) => 4 * (output + pooled)),
    ...features.map(({ layer }) => featureTermBytes(ownedFloats(layer))),
    ...grams.map(gramBytes),
    ...masks.map((masked) => maskBytes(network, size, masked)),
    ...statistics.map((layer) => {
      const [, h, w, channels] = layerShape(network, size, layer);
      const { threads } = network.engine;
      return Math.max(momentsTermBytes(channels), histogramTermBytes(channels, h * w, threads));
    }),
    Math.max(0, ...cotangents.map((layer) => 4 * ownedFloats(layer))),
    backwardFilterBytes(network, stageCount(places, layers) - 1),
  ]);
  return holdsTargets ? { maps, targets } : { maps: maps + targets, targets: 0 };
}

/** Maps and targets. */
export const allBytes = ({ maps, targets }: TilingBytes): number => maps + targets;

/** Bytes of an image in the engine; kernels read four values at a time, beyond the last one. */
export const imageBytes = (height: number, width: number): number => 4 * (height * width * 3 + 4);

/** Bytes of a target of so many values; kernels read four at a time, beyond the last one. */
export const targetBytes = (values: number): number => 4 * (values + 4);

/** Floats of the maps that a tiling keeps whole, by stage from `keptFrom` on. */
export function keptMaps(
  network: Network,
  [height, width]: Size,
  layers: readonly LayerName[],
  { keptFrom }: Tiling,
): readonly { readonly stage: number; readonly output: number; readonly pooled: number }[] {
  const { stages, places } = network;
  const wanted = placesOf(places, layers);
  return range(keptFrom, stageCount(places, layers)).map((stage) => {
    const halvings = halvingsOf(network, stage);
    const [h, w, channels] = [height >> halvings, width >> halvings, stages[stage].channelsOut];
    const pools = wanted.some((place) => place.stage === stage && place.part === 'pool');
    return { stage, output: h * w * channels, pooled: pools ? (h >> 1) * (w >> 1) * channels : 0 };
  });
}

/** Multiplications of an evaluation by a tiling, in convolutions and Gram matrices. */
export function workOf(network: Network, size: Size, request: ObjectiveRequest, tiling: Tiling): number {
  const [height, width] = size;
  const { stages, places, steps } = network;
  const { keptFrom, holdsTargets } = tiling;
  const { layers, features, grams, statistics = [] } = request;
  const { count, highest } = bandExtents(steps, layers, height, tiling.rows);
  const targetCount = holdsTargets ? 0 : stageCount(places, imageTargets(network, features));
  const convolutions = range(0, stageCount(places, layers)).map((stage) => {
    const { channelsIn, channelsOut } = stages[stage];
    // 36 products for a tile of 4 x 4 pixels. The first convolution is direct, and computed again by the second.
    const products = stage === 0 ? 2 * 28 : 2.25 * channelsIn;
    const one = ((count * highest * width) / 4 ** halvingsOf(network, stage)) * channelsOut * products;
    // Forward and back; forward again in the second pass; forward for the targets.
    const again = count > 1 && stage < keptFrom ? 1 : 0;
    return one * (2 + again + (stage < targetCount ? 1 : 0));
  });
  // Half of a symmetric matrix forward, and a product with all of one back.
  const products = [...grams, ...statistics].map((layer) => {
    const [, h, w, channels] = layerShape(network, size, layer);
    return 1.5 * h * w * channels ** 2;
  });
  return sum([...convolutions, ...products]);
}

/**
 * The way to compute an objective within some memory: the image as a whole if that fits, else the bands of the least
 * work. Memory that is left is spent on targets, and on maps of the first pass from the deepest stage on.
 *
 * @param room bytes that may be allocated
 * @returns undefined if nothing fits
 */
export function chooseTiling(
  network: Network,
  size: Size,
  request: ObjectiveRequest,
  room: number,
): Tiling | undefined {
  const { steps, places } = network;
  const fits = (tiling: Tiling) => allBytes(tilingBytes(network, size, request, tiling)) <= room;
  const work = (tiling: Tiling) => workOf(network, size, request, tiling);
  const whole = wholeImage(network, size, request);
  if (fits(whole)) return whole;
  if (!fits(lowestBands(network, size, request))) return undefined;
  const count = stageCount(places, request.layers);
  let best: { readonly tiling: Tiling; readonly work: number } | undefined;
  const [, ...rowCounts] = rowsOfBands(steps, request.layers, size[0]);
  for (const rows of rowCounts) {
    // Lower bands have larger halos: from here on not even those that keep everything take less work.
    if (best && best.work <= work({ rows, keptFrom: 1, holdsTargets: true })) break;
    for (const holdsTargets of request.features.length > 0 ? [false, true] : [false]) {
      // Keeping more takes more memory: once it does not fit, the rest does not either.
      for (let keptFrom = count; keptFrom >= 1; keptFrom--) {
        const tiling = { rows, keptFrom, holdsTargets };
        if (!fits(tiling)) break;
        const needed = work(tiling);
        if (!best || needed < best.work) best = { tiling, work: needed };
      }
    }
  }
  return best?.tiling;
}

/** The image as one band. */
export const wholeImage = ({ places }: Network, [height]: Size, { layers }: ObjectiveRequest): Tiling => ({
  rows: height,
  keptFrom: stageCount(places, layers),
  holdsTargets: true,
});

/** The least that an objective can do with: the lowest bands, and nothing kept. */
export const lowestBands = (
  { steps, places }: Network,
  _size: Size,
  { layers }: ObjectiveRequest,
): Tiling => ({
  rows: strideOf(steps, layers),
  keptFrom: stageCount(places, layers),
  holdsTargets: false,
});

/**
 * Upper bound of the bytes of missing backward filters. They are made from the deepest stage on, each from a
 * copy of its kernel with a quarter of their size.
 */
function backwardFilterBytes({ stages }: Network, deepest: number): number {
  let [made, most] = [0, 0];
  for (let stage = deepest; stage > 0; stage--) {
    const bytes = stages[stage].missingBytes();
    made += bytes;
    if (bytes > 0) most = Math.max(most, made + bytes / 4 + 512);
  }
  return most;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);
