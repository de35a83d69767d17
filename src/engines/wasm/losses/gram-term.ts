import { gramScale } from '../../../losses/gram-matrix';
import type { LossTerm } from '../../../losses/loss';
import type { Map2d } from '../network/pass';
import type { KernelRunner } from '../runtime/kernel-runner';
import type { EngineTerm } from './terms';

/** Partial sums of a Gram matrix; as many items of work. */
export const gramShares = 16;

/** A term that compares Gram matrices. */
export type GramLossTerm = Extract<LossTerm, { kind: 'gram' }>;

/** mean((G - A)^2) or mean(|G - A|) of Gram matrices, as styleLoss. */
export function gramTerm(engine: KernelRunner, term: GramLossTerm): EngineTerm {
  const { memory } = engine;
  const n = term.target.shape[0];
  const sums = memory.allocateFloats(gramShares * n * n);
  const distance = new GramDistance(engine, term);
  return {
    evaluate(map, gradient, weight) {
      const { address, height, width, relu } = map;
      const pixels = height * width;
      // Multiples of four keep products whole.
      const share = Math.ceil(pixels / gramShares / 4) * 4;
      const items = Math.ceil(pixels / share);
      const args = [address, pixels, n, Number(relu), share, sums, distance.gradient, gradient];
      engine.run('gramForward', args, items);
      const value = distance.evaluate(sums, items, map, weight);
      engine.run('gramBackward', args, items);
      return value;
    },
    dispose() {
      memory.release(sums);
      distance.dispose();
    },
  };
}

/** The distance of Gram matrices from a target, and its gradient. */
export class GramDistance {
  /** Panels [n/8][n][8] of the symmetric matrix S with d value / d F = F S, times the weight. */
  readonly gradient: number;
  private readonly channels: number;
  private readonly target: number;
  private readonly factors: number;
  private readonly distances: number;

  constructor(
    private readonly engine: KernelRunner,
    private readonly term: GramLossTerm,
  ) {
    const { memory } = engine;
    this.channels = term.target.shape[0];
    this.target = memory.put(term.target.dataSync<'float32'>());
    this.gradient = memory.allocateFloats(this.channels ** 2);
    this.factors = memory.allocate(2 * 8);
    this.distances = memory.allocate(this.items * 8);
  }

  /**
   * @param sums address of sums [n][n] of products, blocks on and above the diagonal, one behind the other
   * @param shares how many there are
   * @param map of whose features they are
   * @returns the distance, without the weight
   */
  evaluate(sums: number, shares: number, { height, width }: Map2d, weight: number): number {
    const { engine, channels: n, items } = this;
    const { normalization, distance } = this.term;
    const scale = gramScale([1, height, width, n], normalization);
    engine.memory.doubles(this.factors, 2).set([scale, (2 * weight * scale) / (n * n)]);
    const magnitudes = Number(distance === 'l1');
    const to = [this.factors, this.gradient, this.distances];
    engine.run('gramDistance', [sums, shares, n, this.target, magnitudes, ...to], items);
    return engine.memory.doubles(this.distances, items).reduce((a, b) => a + b, 0) / (n * n);
  }

  dispose(): void {
    for (const address of [this.target, this.gradient, this.factors, this.distances])
      this.engine.memory.release(address);
  }

  private get items(): number {
    return Math.ceil(this.channels / 8);
  }
}
