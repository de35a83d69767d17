import type { LayerName } from '../../../features/layer-name';
import { gramScale } from '../../../losses/gram-matrix';
import type { TermMask } from '../../../losses/term-mask';
import type { Band } from '../../shared/bands';
import type { Slice } from '../device/gpu';
import { Piece } from '../device/pieces';
import type { Tile } from '../device/product';
import type { AddCommand, ShapeOf } from './commands';
import {
  type Difference,
  differenceBindings,
  differenceGrid,
  differenceSizes,
  differenceSource,
  type TermSum,
  termSumsBindings,
  termSumsSizes,
  termSumsSource,
  variationBindings,
  variationGrid,
  variationSizes,
  variationSource,
} from './element-kernels';
import {
  comparisonBindings,
  comparisonGrid,
  comparisonSizes,
  comparisonSource,
  type GramShape,
  gramBindings,
  gramShape,
  gramSource,
  gramWork,
  slopesBindings,
  slopesGrid,
  slopesSizes,
  slopesSource,
  totalBindings,
  totalSource,
} from './gram-kernels';
import {
  channelsGrid,
  lineBindings,
  lineGrid,
  lineSizes,
  lineSource,
  type MomentsShape,
  meanVarianceBindings,
  meanVarianceSizes,
  meanVarianceSource,
  momentsBindings,
  momentsGrid,
  momentsLength,
  momentsSizes,
  momentsSource,
} from './moments-kernels';
import type { KernelTerm, TermOf } from './parts';
import { placesOfParts } from './places';
import { wassersteinCommands } from './wasserstein';
import { weightedProductBindings, weightedProductSource, weightedProductWork } from './weighted-product';

/** The tensors that terms hold, as buffers, which outlive the evaluation. */
export interface TermTensors {
  /** What Gram matrices are compared with. */
  gram(term: TermOf<'gram'>): Slice;
  /** The target of a statistic. */
  statistic(term: TermOf<'statistic'>): readonly Slice[];
  /**
   * The mean weight of positions, and for the Wasserstein distance the number that is added to the diagonals of
   * covariances.
   */
  constants(term: TermOf<'statistic'>): Slice;
  /** Weights of pairs of neighbours of the image, times what makes means of sums, [2][height][width]. */
  pairWeights(mask: TermMask): Slice;
  /** The coefficients of a step of the polar iteration, in the first three of four numbers. */
  polarStep(step: number): Slice;
  /** What belongs to the rows of a band of the image; without one, to all of it. */
  of(band: Band | undefined): BandTensors;
}

/** What terms compare and weigh the rows of a band with, or a whole map. */
export interface BandTensors {
  /** What features are compared with. */
  feature(term: TermOf<'feature'>): Slice;
  /**
   * Weights of positions, times what makes means over them of means over all positions; undefined if all count alike.
   * Rows that the band does not own have the weight 0.
   */
  weights(layer: LayerName, mask: TermMask | undefined): Slice | undefined;
}

/** What terms read and write beside the maps. */
export interface TermBuffers {
  readonly image: Slice;
  /** A number for each term. */
  readonly results: Slice;
  /** Sums of workgroups, `partsLength` numbers. */
  readonly parts: Slice;
  /** A number for each term. */
  readonly factors: Slice;
}

/** What terms are computed from, and where they leave what. */
export interface TermsContext {
  readonly add: AddCommand;
  readonly tile: Tile;
  /** Of the whole image. */
  readonly shapeOf: ShapeOf;
  readonly buffers: TermBuffers;
  readonly tensors: TermTensors;
  /** Shapes of the bands' layers, or of the whole image's. */
  readonly shapes: readonly ShapeOf[];
}

/** The maps of a band, or of the whole image. */
export interface View {
  /** Index among the bands. */
  readonly band: number;
  readonly shapeOf: ShapeOf;
  readonly tensors: BandTensors;
  /** Where a layer lies, and whether its values are those behind a ReLU that has not been applied. */
  mapOf(layer: LayerName): { readonly map: Piece | Slice; readonly relu: boolean };
  /** What is added to the gradients of layers. */
  readonly added: Map<LayerName, Piece>;
}

/** The gradient of a map's shape that is added to a layer's, made if there is none; `first` if it is to be set. */
export function addedTo({ added, shapeOf }: Pick<View, 'added' | 'shapeOf'>, layer: LayerName) {
  const known = added.get(layer);
  const piece = known ?? new Piece(`${layer} added`, 4 * shapeOf(layer).reduce((a, b) => a * b));
  added.set(layer, piece);
  return { piece, first: !known };
}

/**
 * The commands of terms, in the order in which they are called: sums over the whole image, then, of each band,
 * distances of features and what terms add to gradients.
 */
export interface TermCommands {
  /** Sums of Gram matrices and moments over the positions of a view. */
  accumulate(view: View): void;
  /** Distances of features, of the image itself or of layers of the network; what they add to gradients. */
  compare(view: View, where: 'image' | 'network'): void;
  /** Values of terms, whose sums are all there, and derivatives by Gram matrices. */
  finish(): void;
  /** What sums over positions add to gradients. @returns matrices that a layer's features are multiplied by */
  contribute(view: View): ReadonlyMap<LayerName, Piece>;
  /** Values of terms once more, if features have been compared since. */
  values(): void;
}

/** A matrix of a layer and of a mask's weights. */
interface Matrix {
  readonly layer: LayerName;
  readonly mask: TermMask | undefined;
  readonly piece: Piece;
}

/** Inner products of a layer's channels, in shares. */
interface Products extends Matrix {
  readonly shape: GramShape;
}

/** A statistic's derivative by the features: F times numbers of channels plus others. */
interface Line {
  readonly term: TermOf<'statistic'>;
  readonly piece: Piece;
  readonly factors: boolean;
}

const isOf = (layer: LayerName, mask: TermMask | undefined) => (one: Matrix) =>
  one.layer === layer && one.mask?.weights.dataId === mask?.weights.dataId && one.mask?.mean === mask?.mean;

/** Makes the {@link TermCommands} of a loss. */
export function termCommands(terms: readonly KernelTerm[], context: TermsContext): TermCommands {
  const { add, tile, shapeOf, buffers, tensors, shapes } = context;
  const placed = placesOfParts(terms, shapeOf, shapes);
  const sums: TermSum[] = placed.places.map(({ from, count }) => ({ ...noSum, from, count }));
  const products: Products[] = [];
  const matrices: Matrix[] = [];
  const lines: Line[] = [];
  /** What statistics add to a layer's matrix, by term. */
  const slopes = new Map<number, Piece>();

  const matrixPiece = (what: string, layer: LayerName) =>
    new Piece(`${layer} ${what}`, 4 * shapeOf(layer)[2] ** 2);
  /** The slice of a term's sums. */
  const partsOf = (index: number, band = 0): Slice => {
    const { from, length } = placed.places[index];
    return { buffer: buffers.parts.buffer, offset: 4 * (from + band * length), size: 4 * length };
  };
  const positionsOf = (view: View, layer: LayerName) => {
    const [height, width, channels] = view.shapeOf(layer);
    return { positions: height * width, channels };
  };

  /** Inner products of channels over the positions of a view; those of one layer and mask once. */
  function addProducts(view: View, layer: LayerName, mask: TermMask | undefined, shift?: Slice): Piece {
    const { map, relu } = view.mapOf(layer);
    const { positions, channels } = positionsOf(view, layer);
    const weights = view.tensors.weights(layer, mask);
    const how = { relu, weighted: weights !== undefined, shifted: shift !== undefined };
    const shape = gramShape(positions, channels, how);
    const shares = new Piece(`${layer} shares`, 4 * shape.shares * channels * channels);
    const pieces = { map, weights, shift, shares_: shares };
    add(`${layer} gram`, gramSource(shape), gramBindings(shape), pieces, gramWork(shape));
    if (shapes.length === 1 && !shift) {
      products.push({ layer, mask, piece: shares, shape });
      return shares;
    }
    const known = shift ? undefined : products.find(isOf(layer, mask));
    const piece = known?.piece ?? matrixPiece('products', layer);
    const source = totalSource(shape, known === undefined);
    const total = { shares_: shares, total: piece, shape: comparisonSizes(shape) };
    add(`${layer} gram total`, source, totalBindings, total, comparisonGrid(shape));
    if (!known && !shift) products.push({ layer, mask, piece, shape: { ...shape, shares: 1 } });
    return piece;
  }

  function compareGrams(index: number, term: TermOf<'gram'>): void {
    const { layer, weight, distance, mask } = term;
    const [, , channels] = shapeOf(layer);
    const { piece: shares, shape } = products.find(isOf(layer, mask)) as Products;
    const scale = gramScale([1, ...shapeOf(layer)], term.normalization);
    const piece = matrixPiece('slopes', layer);
    const sizes = comparisonSizes(shape, scale);
    const goal = tensors.gram(term);
    const pieces = { shares_: shares, goal, slopes: piece, parts: partsOf(index), shape: sizes };
    const source = comparisonSource(shape, distance);
    add(`${layer} comparison`, source, comparisonBindings, pieces, comparisonGrid(shape));
    slopes.set(index, piece);
    // The derivative of G by the features is 2 scale F, as both are symmetric.
    const relative = distance === 'relative';
    const factor = relative ? weight : weight / (channels * channels);
    const slope = 2 * scale * factor * (distance === 'mse' ? 2 : 1);
    sums[index] = { ...sums[index], factor, slope, relative };
  }

  function compareFeatures(view: View, index: number, term: TermOf<'feature'>): void {
    const { layer, weight, distance, mask } = term;
    const { map, relu } = view.mapOf(layer);
    const { positions, channels } = positionsOf(view, layer);
    const weights = view.tensors.weights(layer, mask);
    const { piece, first } = addedTo(view, layer);
    const factor = weight / shapeOf(layer).reduce((a, b) => a * b);
    const slope = factor * (distance === 'mse' ? 2 : 1);
    const weighted = weights !== undefined;
    const how: Difference = { positions, channels, distance, slope, relu, weighted, first };
    const [goal, parts] = [view.tensors.feature(term), partsOf(index, view.band)];
    const pieces = { values: map, goal, weights, added: piece, parts, shape: differenceSizes(how) };
    add(`${layer} difference`, differenceSource(how), differenceBindings(how), pieces, differenceGrid(how));
    sums[index] = { ...sums[index], factor };
  }

  function compareNeighbours(view: View, index: number, term: TermOf<'totalVariation'>): void {
    const { weight, distance, mask } = term;
    const weights = mask && tensors.pairWeights(mask);
    const { piece, first } = addedTo(view, 'image');
    const [height, width] = shapeOf('image');
    const how = { distance, weighted: weights !== undefined, first };
    const shape = variationSizes(height, width, weight);
    const pieces = { image: buffers.image, weights, added: piece, parts: partsOf(index), shape };
    const source = variationSource(how);
    add('total variation', source, variationBindings(how), pieces, variationGrid(height, width));
    sums[index] = { ...sums[index], factor: weight };
  }

  function compareMoments(view: View, index: number, term: TermOf<'statistic'>): void {
    const { layer, weight, mask, statistic } = term;
    const { map, relu } = view.mapOf(layer);
    const { positions, channels } = positionsOf(view, layer);
    const weights = view.tensors.weights(layer, mask);
    const shape: MomentsShape = { positions, channels, relu, weighted: weights !== undefined };
    const target = tensors.statistic(term);
    const [shift] = target;
    const [constants, parts] = [tensors.constants(term), partsOf(index)];
    const moments = new Piece(`${layer} moments`, 4 * momentsLength(shape));
    const pieces = { map, weights, shift, sums: moments, shape: momentsSizes(shape) };
    add(`${layer} moments`, momentsSource(shape), momentsBindings(shape), pieces, momentsGrid(shape));
    const line = new Piece(`${layer} line`, 8 * channels);
    const isGaussian = statistic === 'wasserstein';
    if (isGaussian) {
      const matrix = matrixPiece('slopes', layer);
      const sums = addProducts(view, layer, mask, shift);
      const operands = { shape, moments, products: sums, target, constants, parts, matrix, line };
      wassersteinCommands(add, layer, weight, operands, (step) => tensors.polarStep(step));
      slopes.set(index, matrix);
    } else {
      const sizes = meanVarianceSizes(shape, weight);
      const read = { sums: moments, shift, deviations: target[1], total: constants };
      const bindings = { ...read, line, parts, shape: sizes };
      const source = meanVarianceSource();
      add(`${layer} moments`, source, meanVarianceBindings, bindings, channelsGrid(shape));
    }
    lines.push({ term, piece: line, factors: !isGaussian });
    sums[index] = { ...sums[index], factor: weight / channels, slope: 1, positive: isGaussian };
  }

  function values(): void {
    if (sums.length === 0) return;
    const pieces = { ...buffers, shape: termSumsSizes(sums) };
    add('terms', termSumsSource(sums.length), termSumsBindings, pieces, [sums.length, 1, 1]);
  }

  return {
    accumulate(view) {
      const done: Matrix[] = [];
      for (const [index, term] of terms.entries()) {
        const { layer, mask, kind } = term;
        if (kind === 'statistic') compareMoments(view, index, term);
        if (kind !== 'gram' || done.some(isOf(layer, mask))) continue;
        done.push({ layer, mask, piece: addProducts(view, layer, mask) });
      }
    },
    compare(view, where) {
      for (const [index, term] of terms.entries()) {
        if ((term.layer === 'image') !== (where === 'image')) continue;
        if (term.kind === 'feature') compareFeatures(view, index, term);
        else if (term.kind === 'totalVariation') compareNeighbours(view, index, term);
      }
    },
    finish() {
      for (const [index, term] of terms.entries()) if (term.kind === 'gram') compareGrams(index, term);
      values();
      for (const [index, piece] of slopes) {
        const { layer, mask } = terms[index];
        const known = matrices.find(isOf(layer, mask));
        const matrix = known?.piece ?? matrixPiece('matrix', layer);
        if (!known) matrices.push({ layer, mask, piece: matrix });
        const [, , channels] = shapeOf(layer);
        const shape = slopesSizes(channels, index);
        const pieces = { slopes: piece, factors: buffers.factors, matrix, shape };
        add(`${layer} slopes`, slopesSource(!known), slopesBindings, pieces, slopesGrid(channels));
      }
    },
    contribute(view) {
      const unweighted = new Map<LayerName, Piece>();
      for (const { layer, mask, piece: matrix } of matrices) {
        const weights = view.tensors.weights(layer, mask);
        if (!weights) {
          unweighted.set(layer, matrix);
          continue;
        }
        const { map, relu } = view.mapOf(layer);
        const { piece, first } = addedTo(view, layer);
        const shape = { ...positionsOf(view, layer), relu, tile, first };
        const pieces = { map, weights, matrix, added: piece };
        const [source, work] = [weightedProductSource(shape), weightedProductWork(shape)];
        add(`${layer} weighted`, source, weightedProductBindings, pieces, work);
      }
      for (const { term, piece: line, factors } of lines) {
        const { layer, mask } = term;
        const { map, relu } = view.mapOf(layer);
        const weights = view.tensors.weights(layer, mask);
        const { piece, first } = addedTo(view, layer);
        const how = { ...positionsOf(view, layer), relu, weighted: weights !== undefined, factors, first };
        const bindings = { map, weights, line, added: piece, shape: lineSizes(how) };
        add(`${layer} line`, lineSource(how), lineBindings(how), bindings, lineGrid(how));
      }
      return unweighted;
    },
    values,
  };
}

const noSum = { factor: 0, slope: 0, relative: false };
