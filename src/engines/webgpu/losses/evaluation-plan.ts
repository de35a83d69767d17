import type { LayerName } from '../../../features/layer-name';
import { gramScale } from '../../../losses/gram-matrix';
import type { LossTerm } from '../../../losses/loss';
import type { Size } from '../../shared/fitting-size';
import type { Grid, Slice } from '../device/gpu';
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
import {
  additionBindings,
  additionSource,
  differenceBindings,
  differenceSource,
  elementGroups,
  elementsGrid,
  reluBindings,
  reluSource,
  type TermSum,
  termSumsBindings,
  termSumsSource,
  variationBindings,
  variationGrid,
  variationSource,
} from './element-kernels';
import {
  comparisonBindings,
  comparisonGrid,
  comparisonSource,
  comparisonSums,
  gramBindings,
  gramGrid,
  gramShape,
  gramSource,
  slopesBindings,
  slopesGrid,
  slopesSource,
} from './gram-kernels';
import { type KernelTerm, type Parts, placeOf } from './parts';

/** Buffers of an evaluation that outlive it. */
export interface EvaluationBuffers {
  readonly image: Slice;
  readonly gradient: Slice;
  /** A number for each term. */
  readonly results: Slice;
  /** Sums of workgroups, {@link partsLength} numbers. */
  readonly parts: Slice;
  /** A number for each term. */
  readonly factors: Slice;
}

/** The tensors that terms are compared with. */
export type TargetOf = (term: Exclude<LossTerm, { kind: 'totalVariation' }>) => Slice;

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
  /** [height, width, channels] of a layer. */
  shapeOf(layer: LayerName): readonly [height: number, width: number, channels: number];
}

/** The network of a plan, and how its products are divided. */
export interface PlannedNetwork {
  readonly stages: Stages;
  readonly weights: NetworkWeights;
  readonly tile: Tile;
}

/** Numbers that all terms leave in the buffer of sums, each from a multiple of 64 on, as bindings begin there. */
export const partsLength = (terms: readonly KernelTerm[], shapeOf: EvaluationPlan['shapeOf']): number =>
  placesOfParts(terms, shapeOf).total;

/** Height, width and channels of each layer at an image's size. */
export function shapesOf({ stages, places }: Stages, [height, width]: Size): EvaluationPlan['shapeOf'] {
  const extents: (readonly [number, number, number])[] = [];
  let [h, w] = [height, width];
  for (const { afterPool, channelsOut } of stages) {
    if (afterPool) [h, w] = [h >> 1, w >> 1];
    extents.push([h, w, channelsOut]);
  }
  return (layer) => {
    const place = places.get(layer);
    return place ? extents[place.stage] : [height, width, 3];
  };
}

/** The commands that compute a loss at the image and its gradient. */
export function planEvaluation(
  { stages: network, weights, tile }: PlannedNetwork,
  { terms, byTfjs, stageCount }: Parts,
  size: Size,
  buffers: EvaluationBuffers,
  targetOf: TargetOf,
): EvaluationPlan {
  const [height, width] = size;
  const stages = network.stages.slice(0, stageCount);
  const shapeOf = shapesOf(network, size);
  const items: (Draft | Pause)[] = [];
  const add = (
    label: string,
    code: string,
    names: readonly string[],
    pieces: Readonly<Record<string, Piece | Slice | undefined>>,
    grid: Grid,
  ) => {
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
  const pooled = stages.map(({ name, pool }, i) =>
    pool && i + 1 < stageCount ? halfPiece(`${name} pooled`, name) : undefined,
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

  // Terms: their sums, and what they add to gradients of their layers.
  const placed = placesOfParts(terms, shapeOf);
  const sums: TermSum[] = [];
  const added = new Map<LayerName, Piece>();
  const slopes: { readonly term: number; readonly layer: LayerName; readonly piece: Piece }[] = [];
  const addedTo = (layer: LayerName): { readonly piece: Piece; readonly first: boolean } => {
    const known = added.get(layer);
    const piece = known ?? mapPiece(`${layer} added`, layer);
    added.set(layer, piece);
    return { piece, first: !known };
  };
  for (const [t, term] of terms.entries()) {
    const { layer, weight } = term;
    const [h, w, channels] = shapeOf(layer);
    const from = placed.from[t];
    const count = placed.counts[t];
    const parts = {
      buffer: buffers.parts.buffer,
      offset: 4 * from,
      size: 4 * 64 * Math.ceil(placed.lengths[t] / 64),
    };
    const relu = layer !== 'image' && placeOf(network, layer).part === 'relu';
    const map = layer === 'image' ? buffers.image : maps[placeOf(network, layer).stage];
    if (term.kind === 'gram') {
      const shape = gramShape(h * w, channels, relu);
      const shares = new Piece(`${layer} shares`, 4 * shape.shares * channels * channels);
      add(`${layer} gram`, gramSource(shape), gramBindings, { map, shares_: shares }, gramGrid(shape));
      const scale = gramScale([1, h, w, channels], term.normalization);
      const piece = new Piece(`${layer} slopes`, 4 * channels * channels);
      add(
        `${layer} comparison`,
        comparisonSource(shape, scale, term.distance),
        comparisonBindings,
        { shares_: shares, goal: targetOf(term), slopes: piece, parts },
        comparisonGrid(shape),
      );
      slopes.push({ term: t, layer, piece });
      // The derivative of G by the features is 2 scale F, as both are symmetric.
      const relative = term.distance === 'relative';
      const share = relative ? weight : weight / (channels * channels);
      const slope = 2 * scale * share * (term.distance === 'mse' ? 2 : 1);
      sums.push({ from, count, factor: share, slope, relative });
    } else if (term.kind === 'feature') {
      const values = h * w * channels;
      const { piece, first } = addedTo(layer);
      const slope = (weight / values) * (term.distance === 'mse' ? 2 : 1);
      const how = { distance: term.distance, slope, relu, first };
      add(
        `${layer} difference`,
        differenceSource(values, how),
        differenceBindings,
        { values: map, goal: targetOf(term), added: piece, parts },
        elementsGrid(values),
      );
      sums.push({ from, count, factor: weight / values, slope: 0, relative: false });
    } else {
      const { piece, first } = addedTo('image');
      const how = { distance: term.distance, weight, first };
      const pieces = { image: buffers.image, added: piece, parts };
      const source = variationSource(height, width, how);
      add('total variation', source, variationBindings, pieces, variationGrid(height, width));
      sums.push({ from, count, factor: weight, slope: 0, relative: false });
    }
  }
  if (sums.length > 0)
    add('terms', termSumsSource(sums), termSumsBindings, { ...buffers }, [sums.length, 1, 1]);
  const matrices = new Map<LayerName, Piece>();
  for (const { term, layer, piece } of slopes) {
    const [, , channels] = shapeOf(layer);
    const known = matrices.get(layer);
    const matrix = known ?? new Piece(`${layer} matrix`, 4 * channels * channels);
    matrices.set(layer, matrix);
    const pieces = { slopes: piece, factors: buffers.factors, matrix };
    add(
      `${layer} slopes`,
      slopesSource(channels, term, !known),
      slopesBindings,
      pieces,
      slopesGrid(channels),
    );
  }

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
    } else features.set(layer, maps[stage]);
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
    const [ofRelu, ofMap] = [additionsOf(i, 'relu'), additionsOf(i, 'conv')];
    const some = (one: typeof ofRelu) => one.matrix !== undefined || one.added !== undefined;
    const flags = (one: typeof ofRelu): Additions => ({
      gram: one.matrix !== undefined,
      added: one.added !== undefined,
    });
    if (!behind && !some(ofRelu) && !some(ofMap)) continue;
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
      mask: behind !== undefined || some(ofRelu),
    };
    let kernel: MapKernel = common;
    if (behind) {
      const next = stages[i + 1];
      const filters = weights.backwardFilters(next.name);
      const convolution = { channelsIn: next.channelsOut, relu: false, bias: false };
      if (next.afterPool) {
        const half = halfPiece(`${name} pooled gradient`, name);
        const [halfHeight, halfWidth] = shapeOf(next.name);
        const back: MapKernel = { ...shape, height: halfHeight, width: halfWidth, convolution };
        const operands = { input: behind.gradient, filters, output: half };
        add(`${next.name} back`, mapSource(back), mapBindings(back), operands, mapGrid(back));
        kernel = { ...common, unpool: pool };
        pieces.pooled = half;
      } else {
        kernel = { ...common, convolution };
        Object.assign(pieces, { input: behind.gradient, filters });
      }
    }
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

/** Where terms leave their sums. */
function placesOfParts(terms: readonly KernelTerm[], shapeOf: EvaluationPlan['shapeOf']) {
  const counts = terms.map(({ kind, layer }) => {
    const [height, width, channels] = shapeOf(layer);
    if (kind === 'gram') return comparisonSums(gramShape(height * width, channels, false));
    if (kind === 'feature') return elementGroups(height * width * channels);
    const [across, down] = variationGrid(height, width);
    return across * down;
  });
  // Behind the sums of a Gram term lie those of its target.
  const lengths = counts.map((count, t) => (terms[t].kind === 'gram' ? 2 * count : count));
  const from: number[] = [];
  let total = 0;
  for (const length of lengths) {
    from.push(total);
    total += 64 * Math.ceil(length / 64);
  }
  return { counts, lengths, from, total };
}
