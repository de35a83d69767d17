/// <reference types="@webgpu/types" />
import { EnvironmentError } from '../../../errors';
import type { LayerName } from '../../../features/layer-name';
import type { NetworkStep } from '../../../features/network';
import type { MemoryPlan, MemoryRequest } from '../../engine';
import { bandsOf, rowsOfBands, strideOf } from '../../shared/bands';
import { fittingSize, type Size } from '../../shared/fitting-size';
import { requireRoomAt } from '../../shared/require-room';
import { notTileable, type UntileablePart } from '../../shared/tileable';
import type { Slice } from '../device/gpu';
import { planShelves } from '../device/pieces';
import type { Stages } from '../network/network';
import {
  type PlannedBands,
  type PlannedNetwork,
  planEvaluation,
  shapesOf,
  shapesOfBands,
} from './evaluation-plan';
import { type KernelTerm, type Parts, partsOfTerms } from './parts';
import { partsLength } from './places';
import type { TermTensors } from './term-commands';

/** What is planned. */
export interface TilingRequest {
  readonly parts: Parts;
  /** Layers of the loss. */
  readonly layers: readonly LayerName[];
  /** The part of the loss that tiles cannot compute, or true if there is one that is not known. */
  readonly untileable?: UntileablePart | boolean | undefined;
  /** Bytes for maps, targets and masks. */
  readonly room: number;
}

/** A network, and what bounds its buffers. */
export interface TiledNetwork extends PlannedNetwork {
  readonly steps: readonly NetworkStep[];
  /** Bytes that a buffer may have, and that a kernel may be bound to. */
  readonly largest: number;
}

/** How an image is computed. */
export interface Tiling extends MemoryPlan {
  readonly bands: PlannedBands;
  readonly work: number;
}

/**
 * The image as a whole if it fits, else the highest bands of it that do.
 *
 * @throws EnvironmentError `OUT_OF_MEMORY` if nothing fits, `NOT_TILEABLE` if bands would fit but cannot be used
 */
export function tilingOf(network: TiledNetwork, size: Size, request: TilingRequest): Tiling {
  const { room, untileable, layers } = request;
  const deep = layers.filter((layer) => layer !== 'image');
  const at = (where: Size, rows = where[0]) => measured(network, where, request, rows);
  const fits = ({ bytes, piece }: Measured) => bytes <= room && piece <= network.largest;
  const whole = at(size);
  if (fits(whole)) return tiling(network, size, request, size[0], whole);
  if (untileable) {
    const part = untileable === true ? undefined : untileable;
    throw notTileable(size, (smaller) => fits(at(smaller)), part);
  }
  const cuts = deep.length > 0 ? [...rowsOfBands(network.steps, deep, size[0])].slice(1) : [];
  // The first of falling heights that fits.
  let [least, most] = [0, cuts.length];
  while (least < most) {
    const middle = (least + most) >> 1;
    if (fits(at(size, cuts[middle]))) most = middle;
    else least = middle + 1;
  }
  if (least < cuts.length) return tiling(network, size, request, cuts[least], at(size, cuts[least]));
  const lowest = (where: Size) => {
    const found = at(where);
    return fits(found) || deep.length === 0 ? found : at(where, strideOf(network.steps, deep));
  };
  if (lowest(size).piece > network.largest)
    throw tooLargeBuffers(size, network.largest, (where) => fits(lowest(where)));
  requireRoomAt('webgpu', room, 'An image', size, (where) => lowest(where).bytes);
  return tiling(network, size, request, strideOf(network.steps, deep), lowest(size));
}

/** The memory of bands. */
interface Measured {
  readonly bytes: number;
  readonly maps: number;
  readonly targets: number;
  /** The largest buffer. */
  readonly piece: number;
}

const known = new WeakMap<Parts, Map<string, Measured>>();

/** The memory of bands of so many rows. */
function measured(network: TiledNetwork, size: Size, request: TilingRequest, rows: number): Measured {
  const { parts } = request;
  const found = known.get(parts) ?? new Map<string, Measured>();
  known.set(parts, found);
  const key = `${size} ${rows}`;
  const before = found.get(key);
  if (before) return before;
  const made = measure(network, size, request, rows);
  found.set(key, made);
  return made;
}

function measure(
  network: TiledNetwork,
  size: Size,
  { parts, layers }: TilingRequest,
  rows: number,
): Measured {
  const bands = bandsAt(network, size, layers, rows);
  const heights = bands.map((band) => (band ? band.rows.to - band.rows.from : size[0]));
  const highest = bands[heights.indexOf(Math.max(...heights))];
  // Others need no more than the highest; two, because what is held between bands is held.
  const alike = bands.length > 1 ? [highest, highest] : bands;
  const plan = planOf(network, parts, size, alike);
  const { sizes } = planShelves(plan);
  const shapeOf = shapesOf(network.stages, size);
  const bytesOf = (shape: readonly number[]) => 4 * shape.reduce((a, b) => a * b, 1);
  const share = heights.reduce((a, b) => a + b, 0) / size[0];
  const sums = 4 * partsLength(parts.terms, shapeOf, shapesOfBands(network.stages, size, bands));
  const features = parts.terms.flatMap((term) => (term.kind === 'feature' ? [term] : []));
  const ofTargets = features.map(({ layer }) => bytesOf(shapeOf(layer)));
  const targets = ofTargets.reduce((a, b) => a + b, 0) * share;
  const weighed = new Set(
    parts.terms.flatMap(({ layer, mask, kind }) => {
      if (bands.length === 1 && !mask) return [];
      const [height, width] = shapeOf(layer);
      const pairs = kind === 'totalVariation' ? 2 : 1;
      return [`${pairs * height * width} ${mask ? idOf(mask.weights) : ''}`];
    }),
  );
  const masks = [...weighed].reduce((sum, one) => sum + 4 * Number.parseInt(one, 10), 0) * share;
  const maps = sizes.reduce((a, b) => a + b, 0) + 2 * bytesOf(shapeOf('image')) + sums + masks;
  // Targets of bands are buffers of their own.
  const largestTarget = Math.max(0, ...ofTargets.map((bytes) => bytes * (Math.max(...heights) / size[0])));
  return {
    bytes: maps + targets,
    maps,
    targets,
    piece: Math.max(...sizes, largestTarget, bytesOf(shapeOf('image'))),
  };
}

const ids = new WeakMap<object, number>();
let lastId = 0;

/** Tells masks apart. */
function idOf({ dataId }: { readonly dataId: object }): number {
  const id = ids.get(dataId) ?? ++lastId;
  ids.set(dataId, id);
  return id;
}

/** The bands of so many rows; one that is not cut where that is all of them. */
function bandsAt(
  { steps }: TiledNetwork,
  size: Size,
  layers: readonly LayerName[],
  rows: number,
): PlannedBands {
  if (rows >= size[0]) return [undefined];
  const deep = layers.filter((layer) => layer !== 'image');
  const bands = bandsOf(steps, deep, size[0], rows);
  return bands.length > 1 ? bands : [undefined];
}

function tiling(
  network: TiledNetwork,
  size: Size,
  { layers, parts }: TilingRequest,
  rows: number,
  { bytes, maps, targets }: Measured,
): Tiling {
  const bands = bandsAt(network, size, layers, rows);
  const computed = bands.reduce((sum, band) => sum + (band ? band.rows.to - band.rows.from : size[0]), 0);
  const sums = parts.terms.some(({ kind }) => kind === 'gram');
  // Forward and backward; by bands, forward once more before for sums over the whole image.
  const passes = bands.length > 1 && sums ? 1.5 : 1;
  return { bands, bytes, maps, targets, tiles: bands.length, work: (passes * computed) / size[0] };
}

function tooLargeBuffers(size: Size, largest: number, fits: (size: Size) => boolean): EnvironmentError {
  const [height, width] = size;
  const [fittingHeight, fittingWidth] = fittingSize(size, fits);
  const accepted = `about ${fittingWidth} x ${fittingHeight} pixels, or a device with larger buffers`;
  const limit = `${Math.floor(largest / 2 ** 20)} MiB`;
  return new EnvironmentError(
    'OUT_OF_MEMORY',
    `An image of ${width} x ${height} pixels takes larger buffers than the webgpu engine can bind on this device, which has buffers of at most ${limit}; accepted: ${accepted}.`,
    { option: 'backend', value: 'webgpu', accepted },
  );
}

/** The commands that {@link planEvaluation} makes, bound to no buffers: their memory and cost can be counted. */
export const planOf = (
  network: Omit<PlannedNetwork, 'weights'>,
  parts: Parts,
  size: Size,
  bands: PlannedBands = [undefined],
) => planEvaluation({ ...network, weights: noWeights }, parts, size, bands, nowhere, nothing);

const somewhere: Slice = { buffer: { size: 0 } as GPUBuffer, size: 0 };
const nowhere = {
  image: somewhere,
  gradient: somewhere,
  results: somewhere,
  parts: somewhere,
  factors: somewhere,
};
const noWeights: PlannedNetwork['weights'] = {
  filters: () => somewhere,
  bias: () => somewhere,
  backwardFilters: () => somewhere,
  firstBackwardFilters: () => somewhere,
};
const nothing: TermTensors = {
  gram: () => somewhere,
  statistic: () => [somewhere, somewhere, somewhere],
  constants: () => somewhere,
  pairWeights: () => somewhere,
  polarStep: () => somewhere,
  of: (band) => ({
    feature: () => somewhere,
    weights: (_, mask) => (band || mask ? somewhere : undefined),
  }),
};

/** The terms of a run that is planned before its loss is there. */
export function partsOfRequest(stages: Stages, request: MemoryRequest): Parts {
  const { layers, featureTargets = [], style, masks, tileable = true } = request;
  const target = {} as never;
  const mask = () => ({ weights: { dataId: {} } as never, mean: 'weights' as const });
  const common = { part: '', weight: 1, distance: 'mse' as const };
  const ofContent = masks?.content ? mask() : undefined;
  const features = featureTargets.map(
    (layer): KernelTerm => ({ ...common, kind: 'feature', layer, target, mask: ofContent }),
  );
  // A region has Gram matrices of its own.
  const regions = masks?.styles ? Array.from({ length: masks.styles }, mask) : [undefined];
  const styles = regions.flatMap((region) =>
    (style?.layers ?? []).map((layer): KernelTerm => {
      const term = { ...common, layer, target, mask: region };
      // Of what tiles cannot compute, Wasserstein distances take the most.
      return tileable
        ? { ...term, kind: 'gram', normalization: 'elements' }
        : { ...term, kind: 'statistic', statistic: 'wasserstein' };
    }),
  );
  return partsOfTerms(layers, [...features, ...styles], stages);
}
