import type { LayerName } from '../../../features/layer-name';
import type { Size } from '../../shared/fitting-size';
import type { Slice } from '../device/gpu';
import { type Draft, type Pause, Piece } from '../device/pieces';
import type { Tile } from '../device/product';
import {
  type FirstLayer,
  firstBackward,
  firstBackwardBindings,
  firstBackwardGrid,
  firstForward,
  firstForwardBindings,
  firstForwardGrid,
} from '../network/first-layer';
import { type Additions, type MapKernel, mapBindings, mapGrid, mapSource } from '../network/map-kernel';
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

/** The network of a plan, and how its products are divided. */
export interface PlannedNetwork {
  readonly stages: Stages;
  readonly weights: NetworkWeights;
  readonly tile: Tile;
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
  { stages: network, weights, tile }: PlannedNetwork,
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
    items.push({ label, code, bindings: names.map((name) => pieces[name] as Piece | Slice), grid });
  };
  const mapPiece = (label: string, layer: LayerName) =>
    new Piece(label, 4 * shapeOf(layer).reduce((a, b) => a * b));
  const halfPiece = (label: string, layer: LayerName) => {
    const [h, w, channels] = shapeOf(layer);
    return new Piece(label, 4 * (h >> 1) * (w >> 1) * channels);
  };

  // Forward.
  const first: FirstLayer = {
    height,
    width,
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
    const filters = weights.filters(name);
    if (i === 0) {
      const pieces = { image: buffers.image, filters, bias, output: maps[0] };
      add(name, firstForward(first), firstForwardBindings, pieces, firstForwardGrid(first));
      continue;
    }
    const [h, w] = shapeOf(name);
    const kernel: MapKernel = {
      height: h,
      width: w,
      channels: channelsOut,
      tile,
      convolution: { channelsIn, relu: !afterPool, bias: true },
      ...(pooled[i] && { pool }),
    };
    const input = afterPool ? pooled[i - 1] : maps[i - 1];
    const pieces = { input, filters, bias, output: maps[i], pool: pooled[i] };
    add(name, mapSource(kernel), mapBindings(kernel), pieces, mapGrid(kernel));
  }

  /** Where a layer lies, and whether its ReLU has not been applied there. */
  const mapOf = (layer: LayerName) => {
    if (layer === 'image') return { map: buffers.image, relu: false };
    const { stage, part } = placeOf(network, layer);
    const map = part === 'pool' ? (pooled[stage] as Piece) : maps[stage];
    return { map, relu: part === 'relu' };
  };
  const context = { add, tile, shapeOf, mapOf, buffers, tensors };
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
    const shape = { height: h, width: w, channels: channelsOut, tile };
    const pieces: Record<string, Piece | Slice | undefined> = {
      map: maps[i],
      reluMatrix: ofRelu.matrix,
      reluAdded: ofRelu.added,
      mapMatrix: ofMap.matrix,
      mapAdded: ofMap.added,
      output: gradient,
    };
    const common = {
      ...shape,
      ...(some(ofRelu) && { ofRelu: flags(ofRelu) }),
      ...(some(ofMap) && { ofMap: flags(ofMap) }),
      mask: behind !== undefined || some(ofRelu) || some(ofPool),
    };
    const next = behind && stages[i + 1];
    const convolution = next && { channelsIn: next.channelsOut, relu: false, bias: false };
    const operands = next && { input: behind?.gradient, filters: weights.backwardFilters(next.name) };
    let kernel: MapKernel = { ...common, ...(convolution && { convolution }) };
    if (next?.afterPool || some(ofPool)) {
      const half = halfPiece(`${name} pooled gradient`, name);
      const back: MapKernel = {
        ...shape,
        height: h >> 1,
        width: w >> 1,
        ...(convolution && { convolution }),
        ...(some(ofPool) && { ofMap: flags(ofPool) }),
      };
      const { matrix: mapMatrix, added: mapAdded } = ofPool;
      const from = { ...operands, map: pooled[i], mapMatrix, mapAdded, output: half };
      add(`${name} pooled gradient`, mapSource(back), mapBindings(back), from, mapGrid(back));
      kernel = { ...common, unpool: pool };
      pieces.pooled = half;
    } else Object.assign(pieces, operands);
    add(`${name} gradient`, mapSource(kernel), mapBindings(kernel), pieces, mapGrid(kernel));
    behind = { gradient, stage: i };
  }
  const back = { ...first, gradient: behind !== undefined, added: added.has('image') };
  const pieces = {
    gradient: behind?.gradient,
    filters: stages[0] && weights.firstBackwardFilters(stages[0].name),
    added: added.get('image'),
    output: buffers.gradient,
  };
  add('image gradient', firstBackward(back), firstBackwardBindings(back), pieces, firstBackwardGrid(first));
  return { items, tfjs: { features, cotangents }, shapeOf };
}
