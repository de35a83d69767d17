import type { LossTerm } from '../../../losses/loss';
import { elementShare } from '../network/feature-tensors';
import type { Map2d } from '../network/pass';
import type { KernelRunner } from '../runtime/kernel-runner';

/** Shares of the rows of an image. */
const variationItems = 16;

/** So many values, filled up to whole vectors of four. */
export const wholeVectors = (length: number): number => Math.ceil(length / 4) * 4;

/** A term on the roughness of the image. */
export type VariationLossTerm = Extract<LossTerm, { kind: 'totalVariation' }>;

/** A term that compares feature maps. */
export type FeatureLossTerm = Extract<LossTerm, { kind: 'feature' }>;

/** A term of a loss at work in the engine: its value, and its part of the gradient. */
export interface EngineTerm {
  /** Adds weight * d value / d features to the gradient of the layer and returns the value, without its weight. */
  evaluate(map: Map2d, gradient: number, weight: number): number;
  dispose(): void;
}

/** mean((F - T)^2) or mean(|F - T|), as contentLoss and perceptualLoss. */
export function featureTerm(engine: KernelRunner, { target, distance }: FeatureLossTerm): EngineTerm {
  const { memory } = engine;
  const length = target.size;
  // Vectors of four; what fills the last one up is zero on both sides.
  const whole = wholeVectors(length);
  const items = Math.ceil(whole / elementShare);
  const other = memory.allocateFloats(whole);
  memory.floats(other, whole).fill(0, length);
  memory.floats(other, length).set(target.dataSync<'float32'>());
  const sums = memory.allocate(8 * items);
  return {
    evaluate({ address, relu }, gradient, weight) {
      const magnitudes = Number(distance === 'l1');
      const factor = { float: weight / length };
      engine.run(
        'distance',
        [address, other, gradient, whole, Number(relu), elementShare, factor, magnitudes, sums],
        items,
      );
      return memory.doubles(sums, items).reduce((a, b) => a + b, 0) / length;
    },
    dispose() {
      memory.release(other);
      memory.release(sums);
    },
  };
}

/** Total variation of the image itself, as totalVariationLoss. */
export function variationTerm(engine: KernelRunner, { distance }: VariationLossTerm): EngineTerm {
  const { memory } = engine;
  const sums = memory.allocate(16 * variationItems);
  return {
    evaluate({ address, height, width, channels }, gradient, weight) {
      const share = Math.ceil(height / variationItems);
      const items = Math.ceil(height / share);
      // One pixel has no neighbour: a mean over nothing counts as 0.
      const [across, down] = [height * (width - 1) * channels, (height - 1) * width * channels];
      const factors = [across, down].map((pairs) => ({ float: pairs ? weight / pairs : 0 }));
      const magnitudes = Number(distance === 'l1');
      engine.run(
        'variation',
        [address, gradient, height, width, channels, share, ...factors, magnitudes, sums],
        items,
      );
      return memory
        .doubles(sums, 2 * items)
        .reduce((total, sum, i) => total + sum / Math.max(1, i % 2 ? down : across), 0);
    },
    dispose: () => memory.release(sums),
  };
}
