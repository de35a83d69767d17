import { gramScale } from '../losses/gram-matrix';
import type { LossTerm } from '../losses/loss';
import { elementShare } from './exchange';
import type { KernelEngine } from './kernel-engine';
import type { Map2d } from './pass';

/** Shares of the rows of an image. */
const variationItems = 16;

/** So many values, filled up to whole vectors of four. */
export const wholeVectors = (length: number): number => Math.ceil(length / 4) * 4;

/** Partial sums of a Gram matrix; as many items of work. */
export const gramItems = 16;

/** A term on the roughness of the image. */
export type VariationLossTerm = Extract<LossTerm, { kind: 'totalVariation' }>;

/** A term that compares feature maps. */
export type FeatureLossTerm = Extract<LossTerm, { kind: 'feature' }>;

/** A term that compares Gram matrices. */
export type GramLossTerm = Extract<LossTerm, { kind: 'gram' }>;

/** A term of a loss at work in the engine: its value, and its part of the gradient. */
export interface EngineTerm {
  /** Adds weight * d value / d features to the gradient of the layer and returns the value, without its weight. */
  evaluate(map: Map2d, gradient: number, weight: number): number;
  dispose(): void;
}

/** mean((F - T)^2) or mean(|F - T|), as contentLoss and perceptualLoss. */
export function featureTerm(engine: KernelEngine, { target, distance }: FeatureLossTerm): EngineTerm {
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
export function variationTerm(engine: KernelEngine, { distance }: VariationLossTerm): EngineTerm {
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

/** mean((G - A)^2) or mean(|G - A|) of Gram matrices, as styleLoss. */
export function gramTerm(
  engine: KernelEngine,
  { target, distance, normalization }: GramLossTerm,
): EngineTerm {
  const { memory } = engine;
  const wanted = Float32Array.from(target.dataSync<'float32'>());
  const n = target.shape[0];
  const sums = memory.allocateFloats(gramItems * n * n);
  const matrix = memory.allocateFloats(n * n);
  return {
    evaluate({ address, height, width, relu }, gradient, weight) {
      const pixels = height * width;
      // Multiples of four keep products whole.
      const share = Math.ceil(pixels / gramItems / 4) * 4;
      const items = Math.ceil(pixels / share);
      const args = [address, pixels, n, Number(relu), share, sums, matrix, gradient];
      engine.run('gramForward', args, items);
      const gram = sumOfShares(memory.floats(sums, items * n * n), n);
      const scale = gramScale([1, height, width, n], normalization);
      const panels = memory.floats(matrix, n * n);
      const value = compareGram(gram, wanted, n, scale, distance, weight, (i, j, entry) => {
        panels[((j >> 3) * n + i) * 8 + (j & 7)] = entry;
        panels[((i >> 3) * n + j) * 8 + (i & 7)] = entry;
      });
      engine.run('gramBackward', args, items);
      return value;
    },
    dispose() {
      memory.release(sums);
      memory.release(matrix);
    },
  };
}

/** The sum of matrices [n][n] one behind the other; only what is on and above the diagonal. */
export function sumOfShares(shares: Float32Array, n: number): Float64Array {
  const sum = new Float64Array(n * n);
  for (let start = 0; start < shares.length; start += n * n) {
    for (let i = 0; i < n; i++) {
      for (let at = i * n + i; at < (i + 1) * n; at++) sum[at] += shares[start + at];
    }
  }
  return sum;
}

/**
 * The distance of a Gram matrix, of which entries on and above the diagonal are read and scaled, from the one that is wanted.
 * @param slope gets entry (i, j) of the symmetric matrix S with d value / d F = F S, times `weight`
 * @returns the distance, without the weight
 */
export function compareGram(
  gram: Float64Array,
  wanted: Float32Array,
  n: number,
  scale: number,
  distance: GramLossTerm['distance'],
  weight: number,
  slope: (i: number, j: number, entry: number) => void,
): number {
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      const difference = gram[i * n + j] * scale - wanted[i * n + j];
      const derivative = distance === 'mse' ? 2 * difference : Math.sign(difference);
      total += (i === j ? 1 : 2) * (distance === 'mse' ? difference * difference : Math.abs(difference));
      slope(i, j, (2 * weight * derivative * scale) / (n * n));
    }
  }
  return total / (n * n);
}
