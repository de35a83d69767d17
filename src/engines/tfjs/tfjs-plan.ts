import * as tf from '@tensorflow/tfjs-core';
import { allocatableBytes } from '../../allocation';
import { type TensorLimit, tensorLimit } from '../../backends/tensor-limit';
import { EnvironmentError } from '../../errors';
import type { LayerName } from '../../features/layer-name';
import type { NetworkStep } from '../../features/network';
import type { MemoryPlan, MemoryRequest } from '../engine';
import { type Band, bandsOf, strideOf } from '../shared/bands';
import { fittingSize, type Size } from '../shared/fitting-size';
import { notTileable, type UntileablePart } from '../shared/tileable';
import { holdsMaps, mapBytes, mapShape } from './map-bytes';

/** A run whose memory is planned, with what is known of its loss. */
export interface TfjsRequest extends Omit<MemoryRequest, 'style' | 'masks' | 'tileable'> {
  /** Layers of terms that compare Gram matrices. */
  readonly gramLayers?: readonly LayerName[] | undefined;
  /** Layers of terms with masks, once for each. */
  readonly masked?: readonly LayerName[] | undefined;
  /** A part of the loss that tiles cannot compute; true if there is one that is not known. */
  readonly untileable?: UntileablePart | boolean | undefined;
}

/** {@link MemoryPlan} with the bands; undefined for the image as a whole. */
export interface TfjsPlan extends MemoryPlan {
  readonly bands?: readonly Band[] | undefined;
  readonly work: number;
  /** Whether the backend holds tensors of the size that it takes. */
  readonly held: boolean;
}

/**
 * The memory of a run by tfjs operations: the image as a whole if it fits, else of the numbers of bands that fit the
 * one of least work, with targets kept or, for less memory, computed anew at every evaluation.
 *
 * @throws EnvironmentError `OUT_OF_MEMORY` if nothing fits, `NOT_TILEABLE` if bands would fit but cannot be used
 */
export function planRun(steps: readonly NetworkStep[], request: TfjsRequest): TfjsPlan {
  const { size, untileable } = request;
  const room = roomIn(request);
  const limit = tensorLimit();
  const fits = ({ bytes, held }: TfjsPlan) => held && bytes <= room;
  const whole = wholePlan(steps, request, size, limit);
  if (fits(whole)) return whole;
  const fitsWhole = (at: Size) => fits(wholePlan(steps, request, at, limit));
  if (untileable) throw notTileable(size, fitsWhole, untileable === true ? undefined : untileable);
  const tiled = heightsOf(steps, request.layers, size[0]).flatMap((rows) =>
    [true, false].map((keep) => tiledPlan(steps, request, size, rows, keep, limit)),
  );
  const fitting = tiled.filter(fits);
  if (fitting.length > 0) return fitting.reduce((best, plan) => (plan.work < best.work ? plan : best));
  const all = [whole, ...tiled];
  const lowest = strideOf(steps, request.layers);
  const fitsTiled = (at: Size) => fitsWhole(at) || fits(tiledPlan(steps, request, at, lowest, false, limit));
  if (limit && !all.some(({ held }) => held)) throw tooLargeTensors('An image', size, limit, fitsTiled);
  const least = Math.min(...all.map(({ bytes }) => bytes));
  throw outOfMemory('An image', size, least, room, fitsTiled);
}

/**
 * Bands that Gram matrices of an image fit into; one where they need no more.
 * @throws EnvironmentError `OUT_OF_MEMORY` if no bands fit
 */
export function gramBands(
  steps: readonly NetworkStep[],
  layers: readonly LayerName[],
  size: Size,
  request: Pick<TfjsRequest, 'room'>,
): readonly Band[] {
  const room = roomIn(request);
  const bytesOf = (bands: readonly Band[], width: number): number => {
    const { largest, convolution, of } = mapBytes(steps, layers, [highest(bands), width]);
    // A convolution's input and output, the layers that are wanted, and the image and its normalised values.
    return 2 * largest + convolution + sumOf(layers, of) + 2 * of('image');
  };
  const limit = tensorLimit();
  const held = (bands: readonly Band[], width: number) =>
    holdsMaps(limit, steps, layers, [highest(bands), width]);
  const cuts = [size[0], ...heightsOf(steps, layers, size[0])];
  const all = cuts.map((rows) => bandsOf(steps, layers, size[0], rows));
  const found = all.find((bands) => held(bands, size[1]) && bytesOf(bands, size[1]) <= room);
  if (found) return found;
  const lowest = strideOf(steps, layers);
  const fits = ([height, width]: Size) => {
    const bands = bandsOf(steps, layers, height, lowest);
    return held(bands, width) && bytesOf(bands, width) <= room;
  };
  if (limit && !all.some((bands) => held(bands, size[1])))
    throw tooLargeTensors('A style image', size, limit, fits);
  const least = Math.min(...all.map((bands) => bytesOf(bands, size[1])));
  throw outOfMemory('A style image', size, least, room, fits);
}

/** Bytes that a run may use. */
const roomIn = ({ room = Number.POSITIVE_INFINITY }: Pick<TfjsRequest, 'room'>): number =>
  Math.min(room, allocatableBytes());

/** The network linearised at the whole image, with cotangents of every part of the loss. */
function wholePlan(
  steps: readonly NetworkStep[],
  request: TfjsRequest,
  size: Size,
  limit: TensorLimit | undefined,
): TfjsPlan {
  const { layers, featureTargets = [], gramLayers = [], masked = [] } = request;
  const { held, largest, convolution, of } = mapBytes(steps, layers, size);
  const uses = [...featureTargets, ...gramLayers];
  const others = layers.filter((layer) => !uses.includes(layer));
  // The gradient of each part of the loss, and that times its weight, both until the backward pass.
  const cotangents = 2 * sumOf([...uses, ...others], of);
  // A masked term weighs its map, and the gradient that comes back to it.
  const weighed = 2 * sumOf(masked, of) + masksOf(steps, size, masked);
  const maps =
    held + cotangents + weighed + backwardMaps * largest + convolution + imagesOf(size, layers, 16);
  const targets = sumOf(featureTargets, of);
  const backendHolds = holdsMaps(limit, steps, layers, size);
  return { bytes: maps + targets, maps, targets, tiles: 1, work: 1, held: backendHolds };
}

/** The network linearised at one band at a time. */
function tiledPlan(
  steps: readonly NetworkStep[],
  request: TfjsRequest,
  size: Size,
  rows: number,
  keep: boolean,
  limit: TensorLimit | undefined,
): TfjsPlan {
  const { layers, featureTargets = [], masked = [] } = request;
  const [height, width] = size;
  const deep = layers.filter((layer) => layer !== 'image');
  const bands = bandsOf(steps, deep, height, rows);
  const { held, largest, convolution, of } = mapBytes(steps, deep, [highest(bands), width]);
  const targets = keep ? sumOf(featureTargets, mapBytes(steps, deep, size).of) : 0;
  const ofBand = keep ? 0 : sumOf(featureTargets, of);
  // Of each masked term the weighed rows of a band, until those of its layer are added up.
  const weighed = sumOf(
    masked.filter((layer) => layer !== 'image'),
    of,
  );
  const maps =
    held +
    sumOf(deep, of) +
    ofBand +
    weighed +
    masksOf(steps, size, masked) +
    backwardMaps * largest +
    convolution +
    imagesOf(size, layers, 8);
  const work = workOf(bands, height, request, keep);
  const backendHolds = holdsMaps(limit, steps, deep, [highest(bands), width]);
  const tiles = bands.length;
  return { bytes: maps + targets, maps, targets, tiles, bands, work, held: backendHolds };
}

/** Bytes of the weights of positions of masked layers, and of their roots. */
const masksOf = (steps: readonly NetworkStep[], size: Size, masked: readonly LayerName[]): number =>
  sumOf(masked, (layer) => {
    const [, height, width] = layer === 'image' ? [1, ...size] : mapShape(steps, size, layer);
    return 2 * 4 * height * width;
  });

/** Maps at a step backwards: the gradient behind it, its sum with a cotangent, the mask of a ReLU, and the result. */
const backwardMaps = 4;

/**
 * Bytes of the gradient and of its sum with others, and of what losses of the image itself make, which is `ofLosses`
 * images at most.
 */
const imagesOf = ([height, width]: Size, layers: readonly LayerName[], ofLosses: number): number =>
  12 * height * width * (layers.includes('image') ? ofLosses : 3);

/**
 * Passes over rows, as a multiple of forward and backward over the image as a whole: forward and backward for
 * gradients, forward before them for Gram matrices, and forward at the targets' image where targets are not kept.
 */
function workOf(
  bands: readonly Band[],
  height: number,
  { gramLayers = [], featureTargets = [] }: TfjsRequest,
  keep: boolean,
): number {
  const passes = 2 + (gramLayers.length > 0 ? 1 : 0) + (keep || featureTargets.length === 0 ? 0 : 1);
  return (passes / 2) * (bands.reduce((sum, { rows }) => sum + rows.to - rows.from, 0) / height);
}

/** Rows of the highest band's image. */
const highest = (bands: readonly Band[]): number => Math.max(...bands.map(({ rows }) => rows.to - rows.from));

/**
 * Heights that bands may have, from half of the image to the least, each about a tenth lower than the one before; none
 * without layers of the network.
 */
function heightsOf(steps: readonly NetworkStep[], layers: readonly LayerName[], height: number): number[] {
  if (layers.every((layer) => layer === 'image')) return [];
  const stride = strideOf(steps, layers);
  const units = Math.ceil(height / stride);
  const heights = new Set<number>();
  for (let count = 2; count < units; count = Math.ceil(1.1 * count))
    heights.add(Math.ceil(units / count) * stride);
  if (units > 1) heights.add(stride);
  return [...heights];
}

const sumOf = (layers: readonly LayerName[], bytesOf: (layer: LayerName) => number): number =>
  layers.reduce((sum, layer) => sum + bytesOf(layer), 0);

function outOfMemory(
  what: string,
  size: Size,
  bytes: number,
  room: number,
  fits: (size: Size) => boolean,
): EnvironmentError {
  const [height, width] = size;
  const [fittingHeight, fittingWidth] = fittingSize(size, fits);
  const accepted = `about ${fittingWidth} x ${fittingHeight} pixels`;
  return new EnvironmentError(
    'OUT_OF_MEMORY',
    `${what} of ${width} x ${height} pixels takes at least ${mebibytes(bytes)} of memory for the tfjs engine, which may use ${mebibytes(room)}; accepted: ${accepted}.`,
    { option: 'size', value: bytes, accepted },
  );
}

function tooLargeTensors(
  what: string,
  size: Size,
  limit: TensorLimit,
  fits: (size: Size) => boolean,
): EnvironmentError {
  const [height, width] = size;
  const [fittingHeight, fittingWidth] = fittingSize(size, fits);
  const backend = tf.getBackend();
  const accepted = `about ${fittingWidth} x ${fittingHeight} pixels, or another backend, as by useWasm()`;
  return new EnvironmentError(
    'OUT_OF_MEMORY',
    `${what} of ${width} x ${height} pixels takes larger tensors than the ${backend} backend holds here, which has ${limit.what}; accepted: ${accepted}.`,
    { option: 'backend', value: backend, accepted },
  );
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
