import type { LossTerm } from '../../../losses/loss';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import { elementShare } from '../network/feature-tensors';
import type { FeatureMap } from '../network/pass';
import type { KernelRunner } from '../runtime/kernel-runner';

/** Items of work of the total variation: shares of the image's rows. */
const variationItems = 16;

/** `length` rounded up to a multiple of four, the length of a SIMD vector of floats. */
export const wholeVectors = (length: number): number => Math.ceil(length / 4) * 4;

/** A term on the roughness of the image. */
export type VariationLossTerm = Extract<LossTerm, { kind: 'totalVariation' }>;

/** A term that compares feature maps. */
export type FeatureLossTerm = Extract<LossTerm, { kind: 'feature' }>;

/**
 * A term of a loss, evaluated in the engine's memory in two phases: first the statistic of the whole feature map that
 * the gradient at each position needs, then gradient and value.
 */
export interface EngineTerm {
  /**
   * Computes the statistic of the current image's feature map, replacing the previous one. It does nothing for terms
   * whose gradient at a position depends on that position and its neighbours only.
   */
  accumulate(map: FeatureMap): void;
  /**
   * Adds weight * d value / d map to the gradient of the map that was accumulated.
   * @param gradient address of the gradient, which has the map's shape
   */
  contribute(map: FeatureMap, gradient: number, weight: number): void;
  /** The term at the map that was accumulated and has contributed, without its weight. */
  value(): number;
  /** Frees the term's memory. Safe to call twice. */
  dispose(): void;
}

/** Bytes of {@link featureTerm} for a map of `length` values. */
export const featureTermBytes = (length: number): number =>
  4 * wholeVectors(length) + 8 * Math.ceil(length / elementShare);

/** mean((F - T)^2) or mean(|F - T|), as contentLoss and perceptualLoss. */
export function featureTerm(
  engine: KernelRunner,
  { distance }: FeatureLossTerm,
  target: Float32Array,
): EngineTerm {
  const { memory } = engine;
  const { length } = target;
  // Kernels read vectors of four. Only images have other lengths, and their padding is zero, as the target's is.
  const whole = wholeVectors(length);
  const items = Math.ceil(whole / elementShare);
  return owning(({ result }) => {
    const blocks = result(new Blocks(memory));
    const other = blocks.allocateFloats(whole);
    memory.floats(other, whole).fill(0, length);
    memory.floats(other, length).set(target);
    const sums = blocks.allocate(8 * items);
    return {
      // The kernel gives value and gradient in one pass.
      accumulate: () => {},
      contribute({ address, relu }, gradient, weight) {
        const magnitudes = Number(distance === 'l1');
        const factor = { float: weight / length };
        const args = [address, other, gradient, whole, Number(relu), elementShare, factor, magnitudes, sums];
        engine.run('distance', args, items);
      },
      value: () => memory.doubles(sums, items).reduce((a, b) => a + b, 0) / length,
      dispose: () => blocks.dispose(),
    };
  });
}

/** Bytes of {@link variationTerm}. */
export const variationTermBytes = 16 * variationItems;

/** Total variation of the image itself, as totalVariationLoss. */
export function variationTerm(engine: KernelRunner, { distance }: VariationLossTerm): EngineTerm {
  const { memory } = engine;
  return owning(({ result }) => {
    const blocks = result(new Blocks(memory));
    const sums = blocks.allocate(variationTermBytes);
    let value = 0;
    return {
      accumulate: () => {},
      contribute({ address, height, width, channels }, gradient, weight) {
        const share = Math.ceil(height / variationItems);
        const items = Math.ceil(height / share);
        // An image of one row or column has no such pairs: their mean counts as 0.
        const [across, down] = [height * (width - 1) * channels, (height - 1) * width * channels];
        const factors = [across, down].map((pairs) => ({ float: pairs ? weight / pairs : 0 }));
        const magnitudes = Number(distance === 'l1');
        const args = [address, gradient, height, width, channels, share, ...factors, magnitudes, sums];
        engine.run('variation', args, items);
        value = memory
          .doubles(sums, 2 * items)
          .reduce((total, sum, i) => total + sum / Math.max(1, i % 2 ? down : across), 0);
      },
      value: () => value,
      dispose: () => blocks.dispose(),
    };
  });
}
