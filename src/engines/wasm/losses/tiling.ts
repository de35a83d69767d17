import type { LayerName } from '../../../features/layer-name';
import { type Band, bandings, bandsOf } from '../../shared/bands';
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
import { patchGramBytes } from './patch-gram-term';
import { featureTermBytes, variationTermBytes } from './terms';

/** What an objective computes, as far as its memory depends on it. */
export interface ObjectiveRequest {
  /** All layers of the loss. */
  readonly layers: readonly LayerName[];
  /** Whether the first convolution is computed from the image by all that read it. */
  readonly firstFromImage: boolean;
  /** Terms that compare feature maps. */
  readonly features: readonly FeatureRequest[];
  /** Layers of terms that compare Gram matrices. */
  readonly grams: readonly LayerName[];
  /** Layers whose gradients come from tfjs, one map at a time. */
  readonly cotangents: readonly LayerName[];
}

/** A term that compares feature maps. */
export interface FeatureRequest {
  readonly layer: LayerName;
  /** Whether its target is computed from an image; else it is there as a tensor. */
  readonly fromImage: boolean;
}

/** How an objective divides its work and what it keeps. */
export interface Tiling {
  /** One band is the image as a whole. */
  readonly bands: readonly Band[];
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
  /** The memory that passes take turns in. */
  readonly passes: number;
  readonly targets: number;
  readonly all: number;
}

/** Options of the passes of a tiling. */
export function passesOf(
  network: Network,
  { layers, firstFromImage, features }: ObjectiveRequest,
  { bands, keptFrom }: Tiling,
): { readonly first: PassOptions; readonly second: PassOptions; readonly target: PassOptions } {
  const alone = bands.length === 1;
  const second: PassOptions = {
    layers,
    backward: 'once',
    firstFromImage,
    keptFrom: alone ? undefined : keptFrom,
  };
  return {
    // With one band, the second pass goes on with what the first one has left.
    first: alone ? second : { layers, backward: 'never', firstFromImage },
    second,
    target: { layers: imageTargets(network, features), backward: 'never' },
  };
}

/** Layers of the network with targets that are computed from an image. */
export const imageTargets = (
  { places }: Network,
  features: readonly FeatureRequest[],
): readonly LayerName[] => [
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
  const { layers, firstFromImage, features, grams, cotangents } = request;
  const { bands, holdsTargets } = tiling;
  const { places } = network;
  const floatsOf = (layer: LayerName): number => product(layerShape(network, size, layer));
  /** Values of the rows of a layer that a band owns, at most. */
  const ownedFloats = (layer: LayerName): number => {
    const [, , w, channels] = layerShape(network, size, layer);
    return w * channels * Math.max(...bands.map((band) => lengthOf(band.owned(layer))));
  };
  const gramBytes = (layer: LayerName): number => {
    const channels = layerShape(network, size, layer)[3];
    const first = places.get(layer)?.stage === 0;
    return firstFromImage && first ? patchGramBytes(channels) : gramTermBytes(channels);
  };
  const options = Object.values(passesOf(network, request, tiling));
  const heights = [...new Set(bands.map(({ rows }) => lengthOf(rows)))];
  const passes = Math.max(
    ...heights.flatMap((rows) => options.map((one) => planPass(network, rows, width, one).bytes)),
  );
  // The gradient of a band; and the image, if a loss reads it.
  const image = imageBytes(Math.max(...heights), width);
  const held = holdsTargets ? floatsOf : ownedFloats;
  const targets = sum(features.map(({ layer }) => 4 * held(layer) + 16));
  const all = sum([
    passes,
    image,
    ...(layers.includes('image') ? [image, variationTermBytes] : []),
    sum(
      keptMaps(network, [height, width], layers, tiling).map(({ output, pooled }) => 4 * (output + pooled)),
    ),
    targets,
    ...features.map(({ layer }) => featureTermBytes(ownedFloats(layer))),
    ...grams.map(gramBytes),
    Math.max(0, ...cotangents.map((layer) => 4 * ownedFloats(layer))),
    backwardFilterBytes(network, stageCount(places, layers) - 1),
  ]);
  return { passes, targets: holdsTargets ? targets : 0, all };
}

/** Bytes of an image in the engine; kernels read four values at a time, beyond the last one. */
export const imageBytes = (height: number, width: number): number => 4 * (height * width * 3 + 4);

/** Floats of the maps that a tiling keeps whole, by stage from `keptFrom` on; none for one band. */
export function keptMaps(
  network: Network,
  [height, width]: Size,
  layers: readonly LayerName[],
  { bands, keptFrom }: Tiling,
): readonly { readonly stage: number; readonly output: number; readonly pooled: number }[] {
  if (bands.length === 1) return [];
  const { stages, places } = network;
  const wanted = placesOf(places, layers);
  return range(keptFrom, stageCount(places, layers)).map((stage) => {
    const halvings = halvingsOf(network, stage);
    const [h, w, channels] = [height >> halvings, width >> halvings, stages[stage].channelsOut];
    const pools = wanted.some((place) => place.stage === stage && place.part === 'pool');
    return { stage, output: h * w * channels, pooled: pools ? (h >> 1) * (w >> 1) * channels : 0 };
  });
}

/**
 * Multiplications of a tiling's convolutions, up to what all tilings of a request have in common: a measure to choose
 * by.
 */
function workOf(network: Network, [, width]: Size, request: ObjectiveRequest, tiling: Tiling): number {
  const { stages, places } = network;
  const { bands, keptFrom, holdsTargets } = tiling;
  const count = stageCount(places, request.layers);
  const targetCount = holdsTargets ? 0 : stageCount(places, imageTargets(network, request.features));
  const rows = bands.reduce((total, band) => total + lengthOf(band.rows), 0);
  return range(0, count).reduce((total, stage) => {
    const halvings = halvingsOf(network, stage);
    const { channelsIn, channelsOut } = stages[stage];
    // 36 products for a tile of 4 x 4 pixels. The first convolution is direct, and computed again by the second.
    const products = stage === 0 ? 2 * 28 : 2.25 * channelsIn;
    const one = ((rows * width) / 4 ** halvings) * channelsOut * products;
    // Forward and back; forward again in the second pass; forward for the targets.
    const again = bands.length > 1 && stage < keptFrom ? 1 : 0;
    return total + one * (2 + again + (stage < targetCount ? 1 : 0));
  }, 0);
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
  const whole = wholeImage(network, size, request);
  const fits = (tiling: Tiling) => tilingBytes(network, size, request, tiling).all <= room;
  if (fits(whole)) return whole;
  const count = stageCount(network.places, request.layers);
  let best: { readonly tiling: Tiling; readonly work: number } | undefined;
  for (const bands of bandings(network.steps, request.layers, size[0])) {
    if (bands.length === 1) continue;
    for (const holdsTargets of request.features.length > 0 ? [false, true] : [false]) {
      // Keeping more takes more memory: once it does not fit, the rest does not either.
      for (let keptFrom = count; keptFrom >= 1; keptFrom--) {
        const tiling = { bands, keptFrom, holdsTargets };
        if (!fits(tiling)) break;
        const work = workOf(network, size, request, tiling);
        if (!best || work < best.work) best = { tiling, work };
      }
    }
  }
  return best?.tiling;
}

/** The image as one band. */
export function wholeImage({ steps, places }: Network, [height]: Size, { layers }: ObjectiveRequest): Tiling {
  const bands = bandsOf(steps, layers, height, height);
  return { bands, keptFrom: stageCount(places, layers), holdsTargets: true };
}

/** The least that an objective can do with: the lowest bands, and nothing kept. */
export function lowestBands(
  { steps, places }: Network,
  [height]: Size,
  { layers }: ObjectiveRequest,
): Tiling {
  const bands = bandsOf(steps, layers, height, 1);
  return { bands, keptFrom: stageCount(places, layers), holdsTargets: false };
}

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

const lengthOf = ({ from, to }: { readonly from: number; readonly to: number }): number => to - from;

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);
