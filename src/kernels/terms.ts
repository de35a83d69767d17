import { gramScale } from '../losses/gram-matrix';
import type { LossTerm } from '../losses/loss';
import { elementShare } from './exchange';
import type { KernelEngine } from './kernel-engine';
import type { Map2d } from './pass';

/** Partial sums of a Gram matrix; as many items of work. */
const gramItems = 16;

/** A term of a loss at work in the engine: its value, and its part of the gradient. */
export interface EngineTerm {
  /** Adds weight * d value / d features to the gradient of the layer and returns the value, without its weight. */
  evaluate(map: Map2d, gradient: number, weight: number): number;
  dispose(): void;
}

/** mean((F - T)^2) or mean(|F - T|), as contentLoss and perceptualLoss. */
export function featureTerm(
  engine: KernelEngine,
  { target, distance }: Extract<LossTerm, { kind: 'feature' }>,
): EngineTerm {
  const { memory } = engine;
  const length = target.size;
  const items = Math.ceil(length / elementShare);
  const other = memory.put(target.dataSync<'float32'>());
  const sums = memory.allocate(8 * items);
  return {
    evaluate({ address, relu }, gradient, weight) {
      const magnitudes = Number(distance === 'l1');
      const factor = { float: weight / length };
      engine.run(
        'distance',
        [address, other, gradient, length, Number(relu), elementShare, factor, magnitudes, sums],
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

/** mean((G - A)^2) or mean(|G - A|) of Gram matrices, as styleLoss. */
export function gramTerm(
  engine: KernelEngine,
  { target, distance, normalization }: Extract<LossTerm, { kind: 'gram' }>,
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
      const scale = gramScale([1, height, width, n], normalization);
      const parts = memory.floats(sums, items * n * n);
      const panels = memory.floats(matrix, n * n);
      let total = 0;
      for (let i = 0; i < n; i++) {
        for (let j = i; j < n; j++) {
          let product = 0;
          for (let item = 0; item < items; item++) product += parts[(item * n + i) * n + j];
          const difference = product * scale - wanted[i * n + j];
          const slope = distance === 'mse' ? 2 * difference : Math.sign(difference);
          total += (i === j ? 1 : 2) * (distance === 'mse' ? difference * difference : Math.abs(difference));
          // d value / d F = F (S + S^T) with S = slope * scale / n^2, which is symmetric.
          const entry = (2 * weight * slope * scale) / (n * n);
          panels[((j >> 3) * n + i) * 8 + (j & 7)] = entry;
          panels[((i >> 3) * n + j) * 8 + (i & 7)] = entry;
        }
      }
      engine.run('gramBackward', args, items);
      return total / (n * n);
    },
    dispose() {
      memory.release(sums);
      memory.release(matrix);
    },
  };
}
