import { gramScale } from '../../../losses/gram-matrix';
import type { LossTerm } from '../../../losses/loss';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { FeatureMap } from '../network/pass';
import type { KernelRunner } from '../runtime/kernel-runner';
import type { EngineTerm } from './terms';

/** Partial sums of a Gram matrix; as many items of work. */
export const gramShares = 16;

/** A term that compares Gram matrices. */
export type GramLossTerm = Extract<LossTerm, { kind: 'gram' }>;

/** Bytes of {@link gramTerm} for a map of n channels: sums, target and gradient. */
export const gramTermBytes = (n: number): number => 4 * (gramShares + 2) * n * n + 1024 + 8 * n;

/**
 * mean((G - A)^2) or mean(|G - A|) of Gram matrices, as styleLoss.
 *
 * @param target A, [channels][channels]
 */
export function gramTerm(engine: KernelRunner, term: GramLossTerm, target: Float32Array): EngineTerm {
  return owning(({ result }) => {
    const distance = result(new GramDistance(engine, term, target));
    const n = distance.channels;
    const blocks = result(new Blocks(engine.memory));
    const sums = blocks.allocateFloats(gramShares * n * n);
    const run = (kernel: 'gramForward' | 'gramBackward', map: FeatureMap, gradient: number): number => {
      const { address, height, width, relu } = map;
      const pixels = height * width;
      // Multiples of four keep products whole.
      const share = Math.ceil(pixels / gramShares / 4) * 4;
      const items = Math.ceil(pixels / share);
      const args = [address, pixels, n, Number(relu), share, sums, distance.gradient, gradient];
      engine.run(kernel, args, items);
      return items;
    };
    return {
      accumulate(map) {
        distance.of(sums, run('gramForward', map, 0), map);
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

/** The distance of a Gram matrix, given as partial sums, from a target, and its gradient. */
export class GramDistance {
  readonly channels: number;
  /** After {@link differentiate}: panels [n/8][n][8] of the symmetric matrix S with weight * d value / d F = F S. */
  readonly gradient: number;
  private readonly blocks: Blocks;
  private readonly target: number;
  private readonly factors: number;
  private readonly distances: number;
  private sums = 0;
  private shares = 0;
  private scale = 1;
  private current: number | undefined;

  constructor(
    private readonly engine: KernelRunner,
    private readonly term: GramLossTerm,
    target: Float32Array,
  ) {
    this.channels = Math.sqrt(target.length);
    const blocks = new Blocks(engine.memory);
    this.blocks = blocks;
    [this.target, this.gradient, this.factors, this.distances] = owning(({ result }) => {
      result(blocks);
      return [
        blocks.put(target),
        blocks.allocateFloats(target.length),
        blocks.allocate(2 * 8),
        blocks.allocate(this.items * 8),
      ];
    });
  }

  /**
   * Selects the Gram matrix.
   *
   * @param sums address of sums [n][n] of products, blocks on and above the diagonal, one behind the other
   * @param shares number of sums
   * @param map the map whose features were summed
   */
  of(sums: number, shares: number, { height, width }: FeatureMap): void {
    this.sums = sums;
    this.shares = shares;
    this.scale = gramScale([1, height, width, this.channels], this.term.normalization);
    this.current = undefined;
  }

  /** Computes the gradient, and with it the distance. */
  differentiate(weight: number): void {
    const { engine, channels: n, items, sums, shares, scale, target, factors, gradient, distances } = this;
    engine.memory.doubles(factors, 2).set([scale, (2 * weight * scale) / (n * n)]);
    const magnitudes = Number(this.term.distance === 'l1');
    engine.run('gramDistance', [sums, shares, n, target, magnitudes, factors, gradient, distances], items);
    this.current = engine.memory.doubles(distances, items).reduce((a, b) => a + b, 0) / (n * n);
  }

  /** The distance, without a weight. */
  value(): number {
    if (this.current === undefined) this.differentiate(1);
    return this.current ?? Number.NaN;
  }

  /** Frees the memory. Safe to call twice. */
  dispose(): void {
    this.blocks.dispose();
  }

  private get items(): number {
    return Math.ceil(this.channels / 8);
  }
}
