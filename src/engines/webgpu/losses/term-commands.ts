import type { LayerName } from '../../../features/layer-name';
import { gramScale } from '../../../losses/gram-matrix';
import type { TermMask } from '../../../losses/term-mask';
import type { Slice } from '../device/gpu';
import { Piece } from '../device/pieces';
import type { Tile } from '../device/product';
import type { AddCommand, ShapeOf } from './commands';
import {
  type Difference,
  differenceBindings,
  differenceGrid,
  differenceSource,
  differenceSums,
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
  type GramShape,
  gramBindings,
  gramGrid,
  gramShape,
  gramSource,
  slopesBindings,
  slopesGrid,
  slopesSource,
  totalBindings,
  totalSource,
} from './gram-kernels';
import {
  channelsGrid,
  lineBindings,
  lineGrid,
  lineSource,
  type MomentsShape,
  meanVarianceBindings,
  meanVarianceSource,
  momentsBindings,
  momentsGrid,
  momentsLength,
  momentsSource,
} from './moments-kernels';
import type { KernelTerm, TermOf } from './parts';
import { wassersteinCommands } from './wasserstein';
import { weightedProductBindings, weightedProductGrid, weightedProductSource } from './weighted-product';

/** The tensors that terms hold, as buffers, which outlive the evaluation. */
export interface TermTensors {
  /** What features or Gram matrices are compared with. */
  target(term: TermOf<'feature' | 'gram'>): Slice;
  /** The target of a statistic. */
  statistic(term: TermOf<'statistic'>): readonly Slice[];
  /**
   * The mean weight of positions, and for the Wasserstein distance the number that is added to the diagonals of
   * covariances.
   */
  constants(term: TermOf<'statistic'>): Slice;
  /** Weights of positions, times what makes means over them of means over all positions. */
  weights(mask: TermMask, height: number, width: number): Slice;
  /** The same of pairs of neighbours of the image, [2][height][width]. */
  pairWeights(mask: TermMask): Slice;
  /** The coefficients of a step of the polar iteration, in the first three of four numbers. */
  polarStep(step: number): Slice;
}

/** What terms read and write beside the maps. */
export interface TermBuffers {
  readonly image: Slice;
  /** A number for each term. */
  readonly results: Slice;
  /** Sums of workgroups, {@link partsLength} numbers. */
  readonly parts: Slice;
  /** A number for each term. */
  readonly factors: Slice;
}

/** What terms are added to. */
export interface TermsContext {
  readonly add: AddCommand;
  readonly tile: Tile;
  readonly shapeOf: ShapeOf;
  /** Where a layer lies, and whether its values are those behind a ReLU that has not been applied. */
  mapOf(layer: LayerName): { readonly map: Piece | Slice; readonly relu: boolean };
  readonly buffers: TermBuffers;
  readonly tensors: TermTensors;
}

/** What the terms of a plan add to gradients of their layers. */
export interface LayerGradients {
  /** Matrices that features are multiplied by. */
  readonly matrices: ReadonlyMap<LayerName, Piece>;
  /** Gradients of a map's shape. */
  readonly added: ReadonlyMap<LayerName, Piece>;
  /** The piece of {@link added} of a layer, made if there is none; `first` if it has to be set, not added to. */
  addedTo(layer: LayerName): { readonly piece: Piece; readonly first: boolean };
}

/** A layer's matrix, by the mask of the terms that it belongs to. */
interface Matrix {
  readonly layer: LayerName;
  readonly weights: Slice | undefined;
  readonly piece: Piece;
}

/** A term with what its commands need. */
export interface TermPlace {
  /** Index among the terms. */
  readonly index: number;
  readonly map: Piece | Slice;
  readonly relu: boolean;
  readonly positions: number;
  readonly channels: number;
  readonly weights: Slice | undefined;
  /** Where it leaves its sums. */
  readonly parts: Slice;
}

/** The commands of terms: their sums, and what they add to gradients of their layers. */
export function termCommands(terms: readonly KernelTerm[], context: TermsContext): LayerGradients {
  const { add, tile, shapeOf, mapOf, buffers, tensors } = context;
  const placed = placesOfParts(terms, shapeOf);
  const sums: TermSum[] = [];
  const added = new Map<LayerName, Piece>();
  const matrices: Matrix[] = [];
  const slopes: { readonly place: TermPlace; readonly layer: LayerName; readonly piece: Piece }[] = [];
  const grams: (Pick<Matrix, 'layer' | 'weights' | 'piece'> & { readonly shape: GramShape })[] = [];

  const addedTo = (layer: LayerName) => {
    const known = added.get(layer);
    const piece = known ?? new Piece(`${layer} added`, 4 * shapeOf(layer).reduce((a, b) => a * b));
    added.set(layer, piece);
    return { piece, first: !known };
  };
  const matrixOf = (layer: LayerName, weights: Slice | undefined) => {
    const known = matrices.find((one) => one.layer === layer && one.weights === weights);
    const [, , channels] = shapeOf(layer);
    const piece = known?.piece ?? new Piece(`${layer} matrix`, 4 * channels * channels);
    if (!known) matrices.push({ layer, weights, piece });
    return { piece, first: !known };
  };
  const placeOf = (term: KernelTerm, index: number): TermPlace => {
    const { layer, mask, kind } = term;
    const [height, width, channels] = shapeOf(layer);
    const { map, relu } = mapOf(layer);
    const pairs = kind === 'totalVariation';
    const weights = mask && (pairs ? tensors.pairWeights(mask) : tensors.weights(mask, height, width));
    const size = 4 * 64 * Math.ceil(placed.lengths[index] / 64);
    const parts = { buffer: buffers.parts.buffer, offset: 4 * placed.from[index], size };
    return { index, map, relu, positions: height * width, channels, weights, parts };
  };
  /** Inner products of channels in shares; those of one layer and mask once. */
  const sharesOf = (layer: LayerName, { map, relu, positions, channels, weights }: TermPlace) => {
    const known = grams.find((one) => one.layer === layer && one.weights === weights);
    if (known) return known;
    const shape = gramShape(positions, channels, { relu, weighted: weights !== undefined });
    const piece = new Piece(`${layer} shares`, 4 * shape.shares * channels * channels);
    const pieces = { map, weights, shares_: piece };
    add(`${layer} gram`, gramSource(shape), gramBindings(shape), pieces, gramGrid(shape));
    grams.push({ layer, weights, piece, shape });
    return { piece, shape };
  };

  function gram(term: TermOf<'gram'>, place: TermPlace): void {
    const { layer, weight, distance } = term;
    const { index, channels, parts } = place;
    const { piece: shares, shape } = sharesOf(layer, place);
    const scale = gramScale([1, ...shapeOf(layer)], term.normalization);
    const piece = new Piece(`${layer} slopes`, 4 * channels * channels);
    const pieces = { shares_: shares, goal: tensors.target(term), slopes: piece, parts };
    const source = comparisonSource(shape, scale, distance);
    add(`${layer} comparison`, source, comparisonBindings, pieces, comparisonGrid(shape));
    slopes.push({ place, layer, piece });
    // The derivative of G by the features is 2 scale F, as both are symmetric.
    const relative = distance === 'relative';
    const share = relative ? weight : weight / (channels * channels);
    const slope = 2 * scale * share * (distance === 'mse' ? 2 : 1);
    sums[index] = { ...sumOf(index), factor: share, slope, relative };
  }

  function feature(term: TermOf<'feature'>, place: TermPlace): void {
    const { layer, weight, distance } = term;
    const { index, map, relu, positions, channels, weights, parts } = place;
    const share = weight / (positions * channels);
    const { piece, first } = addedTo(layer);
    const slope = share * (distance === 'mse' ? 2 : 1);
    const weighted = weights !== undefined;
    const how: Difference = { positions, channels, distance, slope, relu, weighted, first };
    const pieces = { values: map, goal: tensors.target(term), weights, added: piece, parts };
    add(`${layer} difference`, differenceSource(how), differenceBindings(how), pieces, differenceGrid(how));
    sums[index] = { ...sumOf(index), factor: share };
  }

  function variation(
    { weight, distance }: TermOf<'totalVariation'>,
    { index, weights, parts }: TermPlace,
  ): void {
    const { piece, first } = addedTo('image');
    const [height, width] = shapeOf('image');
    const how = { distance, weight, weighted: weights !== undefined, first };
    const pieces = { image: buffers.image, weights, added: piece, parts };
    const source = variationSource(height, width, how);
    add('total variation', source, variationBindings(how), pieces, variationGrid(height, width));
    sums[index] = { ...sumOf(index), factor: weight };
  }

  function statistic(term: TermOf<'statistic'>, place: TermPlace): void {
    const { layer, weight } = term;
    const { index, map, relu, positions, channels, weights, parts } = place;
    const shape: MomentsShape = { positions, channels, relu, weighted: weights !== undefined };
    const target = tensors.statistic(term);
    const constants = tensors.constants(term);
    const moments = new Piece(`${layer} moments`, 4 * momentsLength(shape));
    const pieces = { map, weights, shift: target[0], sums: moments };
    add(`${layer} moments`, momentsSource(shape), momentsBindings(shape), pieces, momentsGrid(shape));
    const line = new Piece(`${layer} line`, 8 * channels);
    const isGaussian = term.statistic === 'wasserstein';
    if (isGaussian) {
      const products = new Piece(`${layer} products`, 4 * channels * channels);
      const ofProducts = gramShape(positions, channels, { relu, weighted: shape.weighted, shifted: true });
      const shares = new Piece(`${layer} shares`, 4 * ofProducts.shares * channels * channels);
      const operands = { map, weights, shift: target[0], shares_: shares };
      const label = `${layer} products`;
      add(label, gramSource(ofProducts), gramBindings(ofProducts), operands, gramGrid(ofProducts));
      const bindings = { shares_: shares, total: products };
      add(label, totalSource(ofProducts), totalBindings, bindings, comparisonGrid(ofProducts));
      const slope = new Piece(`${layer} slopes`, 4 * channels * channels);
      const operandsOf = { shape, moments, products, target, constants, parts, matrix: slope, line };
      wassersteinCommands(add, layer, weight, operandsOf, (step) => tensors.polarStep(step));
      slopes.push({ place, layer, piece: slope });
    } else {
      const bindings = {
        sums: moments,
        shift: target[0],
        deviations: target[1],
        total: constants,
        line,
        parts,
      };
      const source = meanVarianceSource(shape, weight);
      add(`${layer} moments`, source, meanVarianceBindings, bindings, channelsGrid(shape));
    }
    const { piece, first } = addedTo(layer);
    const how = { ...shape, factors: !isGaussian, first };
    const bindings = { map, weights, line, added: piece };
    add(`${layer} line`, lineSource(how), lineBindings(how), bindings, lineGrid(shape));
    sums[index] = { ...sumOf(index), factor: weight / channels, slope: 1, positive: isGaussian };
  }

  const sumOf = (index: number): TermSum => ({
    from: placed.from[index],
    count: placed.counts[index],
    factor: 0,
    slope: 0,
    relative: false,
  });
  for (const [index, term] of terms.entries()) {
    const place = placeOf(term, index);
    if (term.kind === 'gram') gram(term, place);
    else if (term.kind === 'feature') feature(term, place);
    else if (term.kind === 'totalVariation') variation(term, place);
    else statistic(term, place);
  }
  if (sums.length > 0)
    add('terms', termSumsSource(sums), termSumsBindings, { ...buffers }, [sums.length, 1, 1]);
  for (const { place, layer, piece } of slopes) {
    const { piece: matrix, first } = matrixOf(layer, place.weights);
    const pieces = { slopes: piece, factors: buffers.factors, matrix };
    const source = slopesSource(place.channels, place.index, first);
    add(`${layer} slopes`, source, slopesBindings, pieces, slopesGrid(place.channels));
  }
  for (const { layer, weights, piece: matrix } of matrices) {
    if (!weights) continue;
    const { map, relu } = mapOf(layer);
    const [height, width, channels] = shapeOf(layer);
    const { piece, first } = addedTo(layer);
    const shape = { positions: height * width, channels, relu, tile, first };
    const pieces = { map, weights, matrix, added: piece };
    const [source, grid] = [weightedProductSource(shape), weightedProductGrid(shape)];
    add(`${layer} weighted`, source, weightedProductBindings, pieces, grid);
  }
  const unweighted = matrices.filter(({ weights }) => !weights);
  return { matrices: new Map(unweighted.map(({ layer, piece }) => [layer, piece])), added, addedTo };
}

/** Numbers that all terms leave in the buffer of sums, each from a multiple of 64 on, as bindings begin there. */
export const partsLength = (terms: readonly KernelTerm[], shapeOf: ShapeOf): number =>
  placesOfParts(terms, shapeOf).total;

/** Where terms leave their sums. */
function placesOfParts(terms: readonly KernelTerm[], shapeOf: ShapeOf) {
  const counts = terms.map((term) => {
    const { kind, layer, mask } = term;
    const [height, width, channels] = shapeOf(layer);
    const positions = height * width;
    if (kind === 'gram') return comparisonSums(gramShape(positions, channels, { relu: false }));
    if (kind === 'feature') return differenceSums({ positions, channels, weighted: mask !== undefined });
    if (kind === 'statistic') return term.statistic === 'wasserstein' ? channels : channels / 4;
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
