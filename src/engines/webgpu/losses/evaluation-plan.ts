import type { LayerName } from '../../../features/layer-name';
import type { Band } from '../../shared/bands';
import type { Size } from '../../shared/fitting-size';
import type { Slice } from '../device/gpu';
import { type Draft, type Pause, Piece } from '../device/pieces';
import { draftsOf } from '../device/work';
import { type Convolutions, type FiltersOf, type MapPieces, mapDrafts } from '../network/convolutions';
import {
  type FirstLayer,
  firstBackward,
  firstBackwardBindings,
  firstBackwardWork,
  firstForward,
  firstForwardBindings,
  firstForwardWork,
} from '../network/first-layer';
import type { Additions, MapKernel } from '../network/map-kernel';
import type { NetworkWeights, Place, Stages } from '../network/network';
import type { AddCommand, ShapeOf } from './commands';
import {
  additionBindings,
  additionSource,
  bandBindings,
  bandGrid,
  bandSizes,
  bandSource,
  elementsGrid,
  elementsSizes,
  greyBindings,
  greySource,
  reluBindings,
  reluSource,
} from './element-kernels';
import { type Parts, partsOfTerms, placeOf, stageCountOf } from './parts';
import { addedTo, type TermBuffers, type TermTensors, termCommands, type View } from './term-commands';

/** Buffers of an evaluation that outlive it. */
export interface EvaluationBuffers extends TermBuffers {
  readonly gradient: Slice;
}

/** What tfjs reads and writes between the forward and the backward pass. */
export interface TfjsLayers {
  /** The features of a layer. */
  readonly features: ReadonlyMap<LayerName, Piece>;
  /** Their gradients, which tfjs leaves here. */
  readonly cotangents: ReadonlyMap<LayerName, Piece>;
}

/** A point between commands: where tfjs computes, or where what is recorded may be submitted. */
export interface PlanPause extends Pause {
  readonly tfjs?: TfjsLayers;
}

/** The network of a plan, and how its convolutions are computed. */
export interface PlannedNetwork {
  readonly stages: Stages;
  readonly weights: Pick<NetworkWeights, 'filters' | 'bias' | 'backwardFilters' | 'firstBackwardFilters'>;
  readonly convolutions: Convolutions;
}

/** Height, width and channels of each layer at an image's size. */
export function shapesOf({ stages, places }: Stages, [height, width]: Size): ShapeOf {
  const extents: (readonly [number, number, number])[] = [];
  let [h, w] = [height, width];
  for (const { afterPool, channelsOut } of stages) {
    if (afterPool) [h, w] = [h >> 1, w >> 1];
    extents.push([h, w, channelsOut]);
  }
  return (layer) => {
    const place = places.get(layer);
    if (!place) return [height, width, 3];
    const [h, w, channels] = extents[place.stage];
    return place.part === 'pool' ? [h >> 1, w >> 1, channels] : [h, w, channels];
  };
}

/** The images that a plan computes the network at: the whole image, or bands of it one after the other. */
export type PlannedBands = readonly (Band | undefined)[];

/** [height, width] of a band's image. */
const bandSize = ([height, width]: Size, band: Band | undefined): Size =>
  band ? [band.rows.to - band.rows.from, width] : [height, width];

/** Height, width and channels of layers in each of the bands. */
export const shapesOfBands = (network: Stages, size: Size, bands: PlannedBands): readonly ShapeOf[] =>
  bands.map((band) => shapesOf(network, bandSize(size, band)));

/**
 * The commands that compute a loss at the image and its gradient.
 *
 * By bands, the network is computed at each of them twice: first for sums over the whole image, then for gradients,
 * which add up where the rows of bands overlap.
 *
 * @param grey whether to take the loss of the image's grey: `buffers.image` then becomes grey
 */
export function planEvaluation(
  planned: PlannedNetwork,
  parts: Parts,
  size: Size,
  bands: PlannedBands,
  buffers: EvaluationBuffers,
  tensors: TermTensors,
  grey = false,
): readonly (Draft | PlanPause)[] {
  const { stages: network, convolutions } = planned;
  const { tile } = convolutions;
  const items: (Draft | PlanPause)[] = [];
  const add = commandAdder(items, convolutions);
  const shapeOf = shapesOf(network, size);
  const shapes = shapesOfBands(network, size, bands);
  const terms = termCommands(parts.terms, { add, tile, shapeOf, buffers, tensors, shapes });
  const viewOf = (index: number, image: Piece | Slice, maps: Maps, added = new Map<LayerName, Piece>()) => ({
    band: index,
    shapeOf: shapes[index],
    tensors: tensors.of(bands[index]),
    added,
    mapOf: (layer: LayerName) =>
      layer === 'image' ? { map: image, relu: false } : mapOf(network, maps, layer),
  });
  const toGrey = (image: Slice) => {
    if (!grey) return;
    const positions = size[0] * size[1];
    const pieces = { image, shape: elementsSizes(positions, false) };
    add('grey', greySource(), greyBindings, pieces, elementsGrid(positions, false));
  };
  toGrey(buffers.image);
  const [first, ...others] = shapes;
  if (others.length === 0) {
    const { image, gradient } = buffers;
    const maps = forwardCommands(items, add, planned, parts, first, image);
    const view = viewOf(0, image, maps);
    terms.accumulate(view);
    terms.compare(view, 'image');
    terms.compare(view, 'network');
    terms.finish();
    const matrices = terms.contribute(view);
    tfjsCommands(items, add, parts, view);
    backwardCommands(items, add, planned, parts, view, maps, matrices, gradient);
    toGrey(gradient);
    return items;
  }

  const row = 3 * size[1];
  const imageOf = (index: number, what: string) => new Piece(what, 4 * row * shapes[index]('image')[0]);
  const forwardBand = (index: number, stageCount = parts.stageCount) => {
    const image = imageOf(index, 'band');
    const rows = { offset: row * (bands[index]?.rows.from ?? 0), count: image.bytes / 4 };
    const pieces = { whole: buffers.image, band: image, shape: bandSizes(rows) };
    add('band', bandSource('read'), bandBindings, pieces, bandGrid(rows));
    const reached = { ...parts, stageCount };
    return { image, maps: forwardCommands(items, add, planned, reached, shapes[index], image) };
  };
  const summed = stageCountOf(
    network,
    parts.terms.flatMap(({ kind, layer }) => (kind === 'gram' ? [layer] : [])),
  );
  for (const index of summed > 0 ? shapes.keys() : []) {
    const { image, maps } = forwardBand(index, summed);
    terms.accumulate(viewOf(index, image, maps));
    items.push({ pieces: [] });
  }
  const noMaps: Maps = { maps: [], pooled: [] };
  const whole = { ...viewOf(0, buffers.image, noMaps), shapeOf, tensors: tensors.of(undefined) };
  terms.compare(whole, 'image');
  terms.finish();
  tfjsCommands(items, add, parts, whole);
  backwardCommands(
    items,
    add,
    planned,
    { ...parts, stageCount: 0 },
    whole,
    noMaps,
    new Map(),
    buffers.gradient,
  );
  for (const index of shapes.keys()) {
    const { image, maps } = forwardBand(index);
    const view = viewOf(index, image, maps);
    terms.compare(view, 'network');
    const matrices = terms.contribute(view);
    const gradient = imageOf(index, 'band gradient');
    backwardCommands(items, add, planned, parts, view, maps, matrices, gradient);
    const rows = { offset: row * (bands[index]?.rows.from ?? 0), count: gradient.bytes / 4 };
    const pieces = { whole: buffers.gradient, band: gradient, shape: bandSizes(rows) };
    add('band gradient', bandSource('add'), bandBindings, pieces, bandGrid(rows));
    items.push({ pieces: [] });
  }
  terms.values();
  toGrey(buffers.gradient);
  return items;
}

/** The commands that compute layers of the network at an image, whose maps remain until all of them have run. */
export function planFeatures(
  planned: PlannedNetwork,
  layers: readonly LayerName[],
  size: Size,
  image: Slice,
): {
  readonly items: readonly (Draft | PlanPause)[];
  /** Where each layer lies, and whether its ReLU has not been applied there. */
  readonly maps: ReadonlyMap<LayerName, { readonly map: Piece; readonly relu: boolean }>;
} {
  const { stages: network, convolutions } = planned;
  const items: (Draft | PlanPause)[] = [];
  const parts = partsOfTerms(layers, [], network);
  const found = forwardCommands(
    items,
    commandAdder(items, convolutions),
    planned,
    parts,
    shapesOf(network, size),
    image,
  );
  const maps = new Map(layers.map((layer) => [layer, mapOf(network, found, layer)]));
  items.push({ pieces: [...maps.values()].map(({ map }) => map) });
  return { items, maps };
}

const commandAdder =
  (items: (Draft | PlanPause)[], { commandFlop }: Convolutions): AddCommand =>
  (label, code, names, pieces, run) => {
    items.push(...draftsOf(label, code, names, pieces, run, commandFlop));
  };

/** The maps of the stages, and those that are pooled. */
interface Maps {
  readonly maps: readonly Piece[];
  readonly pooled: readonly (Piece | undefined)[];
}

/** Where a layer that is not the image lies, and whether its ReLU has not been applied there. */
function mapOf(network: Stages, { maps, pooled }: Maps, layer: LayerName) {
  const { stage, part } = placeOf(network, layer);
  return { map: part === 'pool' ? (pooled[stage] as Piece) : maps[stage], relu: part === 'relu' };
}

const mapPiece = (label: string, shape: readonly number[]) =>
  new Piece(label, 4 * shape.reduce((a, b) => a * b));

const halfPiece = (label: string, [h, w, channels]: readonly [number, number, number]) =>
  new Piece(label, 4 * (h >> 1) * (w >> 1) * channels);

/** The first convolution of a network. */
const firstLayerOf = ({ stages, normalization, padding }: Stages): FirstLayer => ({
  channels: stages[0]?.channelsOut ?? 4,
  normalization,
  padding,
});

/** The commands of the network up to the deepest layer of a loss. */
function forwardCommands(
  items: (Draft | PlanPause)[],
  add: AddCommand,
  { stages: network, weights, convolutions }: PlannedNetwork,
  { stageCount, pools }: Parts,
  shapeOf: ShapeOf,
  image: Piece | Slice,
): Maps {
  const stages = network.stages.slice(0, stageCount);
  const first = firstLayerOf(network);
  const maps = stages.map(({ name }) => mapPiece(name, shapeOf(name)));
  const isPooled = (i: number) =>
    i + 1 < stageCount || [...pools].some((l) => network.places.get(l)?.stage === i);
  const pooled = stages.map(({ name, pool }, i) =>
    pool && isPooled(i) ? halfPiece(`${name} pooled`, shapeOf(name)) : undefined,
  );
  for (const [i, { name, channelsIn, channelsOut, afterPool, pool }] of stages.entries()) {
    const bias = weights.bias(name);
    if (i === 0) {
      const [height, width] = shapeOf('image');
      const pieces = { image, filters: weights.filters(name), bias, output: maps[0] };
      const work = firstForwardWork(first, [height, width]);
      add(name, firstForward(first), firstForwardBindings, pieces, work);
      continue;
    }
    const [h, w] = shapeOf(name);
    const kernel = {
      channels: channelsOut,
      convolution: { channelsIn, relu: !afterPool, bias: true },
      ...(pooled[i] && { pool }),
    };
    const input = afterPool ? pooled[i - 1] : maps[i - 1];
    const pieces = { input, bias, output: maps[i], pool: pooled[i] };
    const filtersOf: FiltersOf = (form, precision) => weights.filters(name, form, precision);
    items.push(...mapDrafts(name, convolutions, kernel, [h, w], pieces, filtersOf));
  }
  return { maps, pooled };
}

/** The commands around losses that tfjs computes: it reads features and leaves cotangents. */
function tfjsCommands(items: (Draft | PlanPause)[], add: AddCommand, { byTfjs }: Parts, view: View): void {
  if (byTfjs.length === 0) return;
  const layers = [...new Set(byTfjs.flatMap(({ loss }) => loss.layers))];
  const features = new Map<LayerName, Piece>();
  const cotangents = new Map<LayerName, Piece>();
  for (const layer of layers) {
    cotangents.set(layer, mapPiece(`${layer} cotangent`, view.shapeOf(layer)));
    if (layer === 'image') continue;
    const { map, relu } = view.mapOf(layer);
    if (relu) {
      const piece = mapPiece(`${layer} for tfjs`, view.shapeOf(layer));
      const values = piece.bytes / 4;
      const pieces = { values: map, output: piece, shape: elementsSizes(values) };
      add(`${layer} for tfjs`, reluSource(values), reluBindings, pieces, elementsGrid(values));
      features.set(layer, piece);
    } else features.set(layer, map as Piece);
  }
  items.push({ pieces: [...features.values(), ...cotangents.values()], tfjs: { features, cotangents } });
  for (const [layer, cotangent] of cotangents) {
    const values = cotangent.bytes / 4;
    const { piece, first } = addedTo(view, layer);
    const pieces = { values: cotangent, added: piece, shape: elementsSizes(values) };
    const source = additionSource(values, first);
    add(`${layer} cotangent`, source, additionBindings, pieces, elementsGrid(values));
  }
}

/** The commands from the gradients of layers to that of the image. */
function backwardCommands(
  items: (Draft | PlanPause)[],
  add: AddCommand,
  { stages: network, weights, convolutions }: PlannedNetwork,
  { stageCount }: Parts,
  { shapeOf, added }: View,
  { maps, pooled }: Maps,
  matrices: ReadonlyMap<LayerName, Piece>,
  output: Piece | Slice,
): void {
  const stages = network.stages.slice(0, stageCount);
  const layersOf = (stage: number, part: Place['part']) =>
    [...network.places].find(([, place]) => place.stage === stage && place.part === part)?.[0];
  const additionsOf = (stage: number, part: Place['part']) => {
    const layer = layersOf(stage, part);
    return { matrix: layer && matrices.get(layer), added: layer && added.get(layer) };
  };
  const addMap = (
    label: string,
    kernel: Omit<MapKernel, 'tile'>,
    extent: Size,
    pieces: MapPieces,
    filtersOf?: FiltersOf,
  ) => {
    items.push(...mapDrafts(label, convolutions, kernel, extent, pieces, filtersOf));
  };
  let behind: { readonly gradient: Piece; readonly stage: number } | undefined;
  for (const i of [...stages.keys()].reverse()) {
    const { name, channelsOut, pool } = stages[i];
    const [h, w] = shapeOf(name);
    const [ofRelu, ofMap, ofPool] = [additionsOf(i, 'relu'), additionsOf(i, 'conv'), additionsOf(i, 'pool')];
    const some = (one: typeof ofRelu) => one.matrix !== undefined || one.added !== undefined;
    const flags = (one: typeof ofRelu): Additions => ({
      gram: one.matrix !== undefined,
      added: one.added !== undefined,
    });
    if (!behind && ![ofRelu, ofMap, ofPool].some(some)) continue;
    const gradient = mapPiece(`${name} gradient`, shapeOf(name));
    const pieces: Record<string, Piece | Slice | undefined> = {
      map: maps[i],
      reluMatrix: ofRelu.matrix,
      reluAdded: ofRelu.added,
      mapMatrix: ofMap.matrix,
      mapAdded: ofMap.added,
      output: gradient,
    };
    const common = {
      channels: channelsOut,
      ...(some(ofRelu) && { ofRelu: flags(ofRelu) }),
      ...(some(ofMap) && { ofMap: flags(ofMap) }),
      mask: behind !== undefined || some(ofRelu) || some(ofPool),
    };
    const next = behind && stages[i + 1];
    const convolution = next && { channelsIn: next.channelsOut, relu: false, bias: false };
    const filtersOf: FiltersOf | undefined =
      next && ((form, precision) => weights.backwardFilters(next.name, form, precision));
    const input = behind?.gradient;
    if (next?.afterPool || some(ofPool)) {
      const half = halfPiece(`${name} pooled gradient`, shapeOf(name));
      const back = {
        channels: channelsOut,
        ...(convolution && { convolution }),
        ...(some(ofPool) && { ofMap: flags(ofPool) }),
      };
      const { matrix: mapMatrix, added: mapAdded } = ofPool;
      const from = { input, map: pooled[i], mapMatrix, mapAdded, output: half };
      addMap(`${name} pooled gradient`, back, [h >> 1, w >> 1], from, filtersOf);
      addMap(`${name} gradient`, { ...common, unpool: pool }, [h, w], { ...pieces, pooled: half });
    } else {
      const kernel = { ...common, ...(convolution && { convolution }) };
      addMap(`${name} gradient`, kernel, [h, w], { ...pieces, input }, filtersOf);
    }
    behind = { gradient, stage: i };
  }
  const first = firstLayerOf(network);
  const [height, width] = shapeOf('image');
  const back = { ...first, gradient: behind !== undefined, added: added.has('image') };
  const pieces = {
    gradient: behind?.gradient,
    filters: stages[0] && weights.firstBackwardFilters(stages[0].name),
    added: added.get('image'),
    output,
  };
  const work = firstBackwardWork(back, [height, width]);
  add('image gradient', firstBackward(back), firstBackwardBindings(back), pieces, work);
}
