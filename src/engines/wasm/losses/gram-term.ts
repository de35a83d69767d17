import { gramScale } from '../../../losses/gram-matrix';
import type { LossTerm } from '../../../losses/loss';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { FeatureMap } from '../network/pass';
import type { KernelRunner } from '../runtime/kernel-runner';
import { type LayerWeights, noWeights, weightsOf } from './mask-weights';
import type { EngineTerm } from './terms';

/** Partial sums of a Gram matrix; as many items of work. */
export const gramShares = 16;

/** A term that compares Gram matrices. */
export type GramLossTerm = Extract<LossTerm, { kind: 'gram' }>;

/** Bytes of {@link gramTerm} for a map of n channels. */
export const gramTermBytes = (n: number): number => 4 * gramShares * n * n + gramDistanceBytes(n);

/**
 * mean((G - A)^2), mean(|G - A|) or |G - A| / |A| of Gram matrices, as styleLoss.
 *
 * @param target A, [channels][channels]
 * @param shape of the whole feature map
 * @param weights of its positions
 */
export function gramTerm(
  engine: KernelRunner,
  term: GramLossTerm,
  target: Float32Array,
  shape: MapShape,
  weights: LayerWeights = noWeights,
): EngineTerm {
  return owning(({ result }) => {
    const distance = result(new GramDistance(engine, term, target, shape, weights.ratio));
    const n = distance.channels;
    const blocks = result(new Blocks(engine.memory));
    const sums = blocks.allocateFloats(gramShares * n * n);
    const run = (kernel: 'gramForward' | 'gramBackward', map: FeatureMap, gradient: number): number => {
      const { address, height, width, relu } = map;
      const pixels = height * width;
      // Multiples of four keep products whole.
      const share = Math.ceil(pixels / gramShares / 4) * 4;
      const items = Math.ceil(pixels / share);
      const mask = weightsOf(weights, map);
      const args = [address, pixels, n, Number(relu), share, sums, distance.gradient, gradient, mask];
      engine.run(kernel, args, items);
      return items;
    };
    return {
      begin: () => distance.clear(),
      accumulate(map) {
        distance.add(sums, run('gramForward', map, 0));
      },
      contribute(map, gradient, weight) {
        distance.differentiate(weight);
        run('gramBackward', map, gradient);
      },
      value: () => distance.value(),
      dispose() {
        blocks.dispose();
        distance.dispose();
      },
    };
  });
}

/** Bytes of {@link GramDistance} for n channels: matrix, target and gradient. */
export const gramDistanceBytes = (n: number): number => (8 + 4 + 4) * n * n + 1024 + 8 * n;

/** Shape [1, height, width, channels] of a feature map. */
export type MapShape = readonly [1, number, number, number];

/** The distance of a Gram matrix, added up from partial sums in double precision, from a target, and its gradient. */
export class GramDistance {
  readonly channels: number;
  /** After {@link differentiate}: panels [n/8][n][8] of the symmetric matrix S with weight * d value / d F = F S. */
  readonly gradient: number;
  private readonly blocks: Blocks;
  private readonly totals: number;
  private readonly target: number;
  private readonly factors: number;
  private readonly distances: number;
  private readonly scale: number;
  /** The target's Frobenius norm. */
  private readonly targetNorm: number;
  /** The distance, and the weight of the gradient that was computed with it. */
  private current: { readonly value: number; readonly weight: number } | undefined;

  /** @param ratio factor of the matrix beside its normalisation, see {@link LayerWeights.ratio} */
  constructor(
    private readonly engine: KernelRunner,
    private readonly term: GramLossTerm,
    target: Float32Array,
    shape: MapShape,
    ratio: number,
  ) {
    this.channels = Math.sqrt(target.length);
    this.scale = gramScale(shape, term.normalization) * ratio;
    this.targetNorm = Math.sqrt(target.reduce((sum, x) => sum + x * x, 0));
    const blocks = new Blocks(engine.memory);
    this.blocks = blocks;
    [this.totals, this.target, this.gradient, this.factors, this.distances] = owning(({ result }) => {
      result(blocks);
      return [
        blocks.allocate(8 * target.length),
        blocks.put(target),
        blocks.allocateFloats(target.length),
        blocks.allocate(2 * 8),
        blocks.allocate(this.items * 8),
      ];
    });
  }

  /** Sets the Gram matrix to zero. */
  clear(): void {
    this.set(new Float32Array(this.channels ** 2));
  }

  /** Sets the Gram matrix, before normalisation, to the numbers on and above the diagonal of `products`. */
  set(products: Float32Array): void {
    this.engine.memory.doubles(this.totals, this.channels ** 2).set(products);
    this.current = undefined;
  }

  /**
   * Adds to the Gram matrix.
   *
   * @param sums address of sums [n][n] of products, blocks on and above the diagonal, one behind the other
   * @param shares number of sums
   */
  add(sums: number, shares: number): void {
    this.engine.run('gramTotal', [sums, shares, this.channels, this.totals], this.items);
    this.current = undefined;
  }

  /** Computes the gradient, and with it the distance, unless this has been done. */
  differentiate(weight: number): void {
    if (this.current?.weight === weight) return;
    const { channels: n, scale } = this;
    if (this.term.distance === 'relative') {
      // The derivative of a norm needs the norm: a first round finds it.
      const norm = Math.sqrt(this.sum(0));
      const size = this.targetNorm || 1;
      this.sum(norm > 0 ? (weight * scale) / (norm * size) : 0);
      this.current = { value: norm / size, weight };
    } else {
      this.current = { value: this.sum((2 * weight * scale) / (n * n)) / (n * n), weight };
    }
  }

  /** Sums squares, or magnitudes, of differences, and writes `factor` times their derivatives as the gradient. */
  private sum(factor: number): number {
    const { engine, channels, items, totals, scale, target, factors, gradient, distances } = this;
    engine.memory.doubles(factors, 2).set([scale, factor]);
    const magnitudes = Number(this.term.distance === 'l1');
    engine.run('gramDistance', [totals, channels, target, magnitudes, factors, gradient, distances], items);
    return engine.memory.doubles(distances, items).reduce((a, b) => a + b, 0);
  }

  /** The distance, without a weight. */
  value(): number {
    if (!this.current) this.differentiate(1);
    return this.current?.value ?? Number.NaN;
  }

  /** Frees the memory. Safe to call twice. */
  dispose(): void {
    this.blocks.dispose();
  }

  private get items(): number {
    return Math.ceil(this.channels / 8);
  }
}
