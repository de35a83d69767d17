import type { LayerName } from '../../../features/layer-name';
import type { Size } from '../../shared/fitting-size';
import type { Slice } from '../device/gpu';
import { type Binding, type Draft, type Pause, Piece, Shape } from '../device/pieces';
import { type Convolutions, type FiltersOf, mapDrafts } from '../network/convolutions';
import {
  type FirstLayer,
  firstBackward,
  firstBackwardBindings,
  firstBackwardGrid,
  firstForward,
  firstForwardBindings,
  firstForwardGrid,
} from '../network/first-layer';
import type { Additions, MapKernel } from '../network/map-kernel';
import type { NetworkWeights, Place, Stages } from '../network/network';
import type { AddCommand, ShapeOf } from './commands';
import { additionBindings, additionSource, elementsGrid, reluBindings, reluSource } from './element-kernels';
import { type Parts, placeOf } from './parts';
import { type TermBuffers, type TermTensors, termCommands } from './term-commands';

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

/** The commands of a loss and its gradient, with their memory. */
export interface EvaluationPlan {
  readonly items: readonly (Draft | Pause)[];
  readonly tfjs: TfjsLayers;
  readonly shapeOf: ShapeOf;
}

/** The network of a plan, and how its convolutions are computed. */
export interface PlannedNetwork {
  readonly stages: Stages;
  readonly weights: NetworkWeights;
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

/** The commands that compute a loss at the image and its gradient. */
export function planEvaluation(
  { stages: network, weights, convolutions }: PlannedNetwork,
  { terms, byTfjs, stageCount, pools }: Parts,
  size: Size,
  buffers: EvaluationBuffers,
  tensors: TermTensors,
): EvaluationPlan {
  const [height, width] = size;
  const stages = network.stages.slice(0, stageCount);
  const shapeOf = shapesOf(network, size);
  const items: (Draft | Pause)[] = [];
  const add: AddCommand = (label, code, names, pieces, grid) => {
    items.push({ label, code, bindings: names.map((name) => pieces[name] as Binding), grid });
  };
  const addMap = (
    label: string,
    kernel: Omit<MapKernel, 'tile'>,
    extent: Size,
    pieces: Readonly<Record<string, Piece | Slice | undefined>>,
    filtersOf?: FiltersOf,
  ) => {
    items.push(...mapDrafts(label, convolutions, kernel, extent, pieces, filtersOf));
  };
  const mapPiece = (label: string, layer: LayerName) =>
    new Piece(label, 4 * shapeOf(layer).reduce((a, b) => a * b));
  const halfPiece = (label: string, layer: LayerName) => {
    const [h, w, channels] = shapeOf(layer);
    return new Piece(label, 4 * (h >> 1) * (w >> 1) * channels);
  };

  // Forward.
  const shape = new Shape(height, width);
  const first: FirstLayer = {
    channels: stages[0]?.channelsOut ?? 4,
    normalization: network.normalization,
    padding: network.padding,
  };
  const maps = stages.map(({ name }) => mapPiece(name, name));
  const isPooled = (i: number) =>
    i + 1 < stageCount || [...pools].some((l) => network.places.get(l)?.stage === i);
  const pooled = stages.map(({ name, pool }, i) =>
    pool && isPooled(i) ? halfPiece(`${name} pooled`, name) : undefined,
  );
  for (const [i, { name, channelsIn, channelsOut, afterPool, pool }] of stages.entries()) {
    const bias = weights.bias(name);
    if (i === 0) {
      const pieces = { image: buffers.image, filters: weights.filters(name), bias, output: maps[0], shape };
      add(name, firstForward(first), firstForwardBindings, pieces, firstForwardGrid(size));
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
    addMap(name, kernel, [h, w], pieces, (form) => weights.filters(name, form));
  }

  /** Where a layer lies, and whether its ReLU has not been applied there. */
  const mapOf = (layer: LayerName) => {
    if (layer === 'image') return { map: buffers.image, relu: false };
    const { stage, part } = placeOf(network, layer);
    const map = part === 'pool' ? (pooled[stage] as Piece) : maps[stage];
    return { map, relu: part === 'relu' };
  };
  const context = { add, tile: convolutions.tile, shapeOf, mapOf, buffers, tensors };
  const { matrices, added, addedTo } = termCommands(terms, context);

  // Losses that tfjs computes: it reads features and leaves cotangents.
  const tfjsLayers = [...new Set(byTfjs.flatMap(({ loss }) => loss.layers))].filter((l) => l !== 'image');
  const features = new Map<LayerName, Piece>();
  const cotangents = new Map<LayerName, Piece>();
  for (const layer of tfjsLayers) {
    const { stage, part } = placeOf(network, layer);
    if (part === 'relu') {
      const piece = mapPiece(`${layer} for tfjs`, layer);
      const values = piece.bytes / 4;
      const pieces = { values: maps[stage], output: piece };
      add(`${layer} for tfjs`, reluSource(values), reluBindings, pieces, elementsGrid(values));
      features.set(layer, piece);
    } else features.set(layer, mapOf(layer).map as Piece);
  }
  if (byTfjs.length > 0) {
    for (const layer of new Set(byTfjs.flatMap(({ loss }) => loss.layers)))
      cotangents.set(layer, mapPiece(`${layer} cotangent`, layer));
    items.push({ pieces: [...features.values(), ...cotangents.values()] });
    for (const [layer, cotangent] of cotangents) {
      const values = shapeOf(layer).reduce((a, b) => a * b);
      const { piece, first } = addedTo(layer);
      const pieces = { values: cotangent, added: piece };
      add(
        `${layer} cotangent`,
        additionSource(values, 1, first),
        additionBindings,
        pieces,
        elementsGrid(values),
      );
    }
  }

  // Backward.
  const layersOf = (stage: number, part: Place['part']) =>
    [...network.places].find(([, place]) => place.stage === stage && place.part === part)?.[0];
  const additionsOf = (stage: number, part: Place['part']) => {
    const layer = layersOf(stage, part);
    return { matrix: layer && matrices.get(layer), added: layer && added.get(layer) };
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
    const gradient = mapPiece(`${name} gradient`, name);
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
    const filtersOf: FiltersOf | undefined = next && ((form) => weights.backwardFilters(next.name, form));
    const input = behind?.gradient;
    if (next?.afterPool || some(ofPool)) {
      const half = halfPiece(`${name} pooled gradient`, name);
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
  const back = { ...first, gradient: behind !== undefined, added: added.has('image') };
  const pieces = {
    gradient: behind?.gradient,
    filters: stages[0] && weights.firstBackwardFilters(stages[0].name),
    added: added.get('image'),
    output: buffers.gradient,
    shape,
  };
  add('image gradient', firstBackward(back), firstBackwardBindings(back), pieces, firstBackwardGrid(size));
  return { items, tfjs: { features, cotangents }, shapeOf };
}
