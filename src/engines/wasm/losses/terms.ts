import type { LossTerm } from '../../../losses/loss';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import { elementShare } from '../network/feature-tensors';
import { type FeatureMap, rowBytes } from '../network/pass';
import type { KernelRunner } from '../runtime/kernel-runner';
import { type LayerWeights, noWeights, type PairWeights, weightsOf } from './mask-weights';

/** Items of work of the total variation: shares of the image's rows. */
const variationItems = 16;

/** A term on the roughness of the image. */
export type VariationLossTerm = Extract<LossTerm, { kind: 'totalVariation' }>;

/** A term that compares feature maps. */
export type FeatureLossTerm = Extract<LossTerm, { kind: 'feature' }>;

/**
 * A term of a loss, evaluated in the engine's memory in two phases: first the statistic of the whole feature map that
 * the gradient at each position needs, then gradient and value. The map comes in one piece or in several that follow
 * each other, each through both phases, all of them through the first one before the second begins.
 */
export interface EngineTerm {
  /** Forgets the previous image. */
  begin(): void;
  /**
   * Adds some rows of the current image's feature map to the statistic. It does nothing for terms whose gradient at a
   * position depends on that position and its neighbours only.
   */
  accumulate(map: FeatureMap): void;
  /**
   * Adds weight * d value / d map to the gradient of rows that were accumulated.
   * @param gradient address of the gradient, which has the map's shape
   */
  contribute(map: FeatureMap, gradient: number, weight: number): void;
  /** The term, without its weight, at the map all of whose rows have contributed. */
  value(): number;
  /** Frees the term's memory. Safe to call twice. */
  dispose(): void;
}

/** The target of a term that compares feature maps. */
export interface FeatureTarget {
  /** Address of the target at some rows of the map; valid until the next call. */
  at(map: FeatureMap): number;
}

/** Bytes that {@link featureTerm} needs beside the target, for maps of at most `length` values at a time. */
export const featureTermBytes = (length: number): number => 8 * Math.ceil(length / elementShare);

/**
 * mean((F - T)^2) or mean(|F - T|), as contentLoss and perceptualLoss.
 *
 * @param length values of the whole feature map
 * @param most values of the map at most that contribute at a time
 * @param weights of the map's positions
 */
export function featureTerm(
  engine: KernelRunner,
  { distance }: FeatureLossTerm,
  target: FeatureTarget,
  { length, most }: { readonly length: number; readonly most: number },
  weights: LayerWeights = noWeights,
): EngineTerm {
  const { memory } = engine;
  return owning(({ result }) => {
    const blocks = result(new Blocks(memory));
    const sums = blocks.allocate(featureTermBytes(most));
    let total = 0;
    return {
      begin() {
        total = 0;
      },
      // The kernel gives value and gradient in one pass.
      accumulate: () => {},
      contribute(map, gradient, weight) {
        const { address, height, width, channels, relu } = map;
        const values = height * width * channels;
        const items = Math.ceil(values / elementShare);
        const magnitudes = Number(distance === 'l1');
        const factor = { float: (weight / length) * weights.ratio };
        const other = target.at(map);
        const args = [address, other, gradient, values, Number(relu), elementShare, factor, magnitudes, sums];
        const mask = weightsOf(weights, map);
        if (mask) engine.run('maskedDistance', [...args, mask, channels], items);
        else engine.run('distance', args, items);
        total += memory.doubles(sums, items).reduce((a, b) => a + b, 0);
      },
      value: () => (total / length) * weights.ratio,
      dispose: () => blocks.dispose(),
    };
  });
}

/** Bytes of {@link variationTerm}. */
export const variationTermBytes = 16 * variationItems;

/**
 * Total variation of the image itself, as totalVariationLoss. Rows that contribute have the rows above and below them
 * in memory, with their gradients.
 *
 * @param imageHeight rows of the whole image
 * @param mask weights of pairs of neighbours
 */
export function variationTerm(
  engine: KernelRunner,
  { distance }: VariationLossTerm,
  imageHeight: number,
  mask?: PairWeights,
): EngineTerm {
  const { memory } = engine;
  return owning(({ result }) => {
    const blocks = result(new Blocks(memory));
    const sums = blocks.allocate(variationTermBytes);
    let value = 0;
    return {
      begin() {
        value = 0;
      },
      accumulate: () => {},
      contribute(map, gradient, weight) {
        const { address, height, width, channels, first = 0 } = map;
        // An image of one row or column has no such pairs: their mean counts as 0.
        const pairs = {
          across: (mask?.across ?? imageHeight * (width - 1)) * channels,
          down: (mask?.down ?? (imageHeight - 1) * width) * channels,
        };
        const magnitudes = Number(distance === 'l1');
        const factorOf = (count: number) => ({ float: count ? weight / count : 0 });
        /** Differences within `rows` rows from the map's row `from` on. */
        const differences = (from: number, rows: number, across: number, down: number) => {
          const at = from * rowBytes(map);
          const share = Math.ceil(rows / variationItems);
          const items = Math.ceil(rows / share);
          const shape = [rows, width, channels, share];
          const factors = [factorOf(across), factorOf(down)];
          const weights = mask ? mask.address + 4 * (first + from) * width : 0;
          engine.run(
            'variation',
            [address + at, gradient + at, ...shape, ...factors, magnitudes, sums, weights],
            items,
          );
          value += memory
            .doubles(sums, 2 * items)
            .reduce((total, sum, i) => total + (i % 2 ? down && sum / down : across && sum / across), 0);
        };
        differences(0, height, pairs.across, pairs.down);
        // The last row and the one below, which is the first of the next rows.
        if (first + height < imageHeight) differences(height - 1, 2, 0, pairs.down);
      },
      value: () => value,
      dispose: () => blocks.dispose(),
    };
  });
}
