import type { StatisticTerm } from '../../../losses/loss';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';
import { tensorValues } from '../tensor-values';
import type { MapShape } from './gram-term';
import { inverseRootTerms } from './inverse-root';
import type { MomentsDistance, Sums } from './moments-distance';

/** Floats behind each row of an inverse, as in the kernel. */
const pad = 16;

/** Bytes of {@link WassersteinDistance} for n channels. */
export const wassersteinBytes = (n: number): number =>
  4 * (5 * n * n + inverseRootTerms.length * (n * (n + pad) + 2));

/** Bytes of scratch memory of an inverse in double precision: the matrix, and blocks of 32 columns and rows. */
const scratchBytes = (n: number): number => 8 * (n * (n + pad) + 2 * 32 * (n + 32));

/** First terms of the transport that take doubles: in floats their largest entries would round the least away. */
const inDoubles = 2;

/**
 * The squared 2-Wasserstein distance of Gaussians, as `wasserstein`:
 *
 *   (|mu - mu^|^2 + tr(S + S^ - 2 (R S R)^1/2)) / n,  R = S^^1/2
 *
 * Its gradient with respect to S is I - G, where G = R (R S R)^-1/2 R is the optimal transport from one Gaussian to the
 * other. With x^-1/2 = sum w / (x + s), no root is left in it:
 *
 *   G = sum w (S + s S^^-1)^-1
 *
 * These matrices are well conditioned enough for floats, and each is inverted by itself. Of all positive definite G the
 * transport makes (tr(G S) + tr(G^-1 S^)) / 2 least, which is then the trace of the root: the error of the value is of
 * second order in that of G.
 */
export class WassersteinDistance implements MomentsDistance {
  readonly products: number;
  private readonly blocks: Blocks;
  private readonly n: number;
  private readonly mean: Float32Array;
  private readonly trace: number;
  private readonly added: number;
  /** [n][n] each: S^, its inverse, S and G, on and below the diagonal. */
  private readonly target: number;
  private readonly targetInverse: number;
  private readonly covariance: number;
  private readonly transport: number;
  private readonly inverses: number;
  private readonly shifts: number;
  private readonly weights: number;

  constructor(
    private readonly engine: KernelRunner,
    { target, layer }: StatisticTerm,
    [, , , n]: MapShape,
  ) {
    const what = `The target of ${layer}`;
    const [mean, , trace, added, covariance] = target;
    this.n = n;
    this.mean = tensorValues(mean, what, [1, n], layer);
    [this.trace] = tensorValues(trace, what, [], layer);
    [this.added] = tensorValues(added, what, [], layer);
    const values = tensorValues(covariance, what, [n, n], layer);
    const blocks = new Blocks(engine.memory);
    this.blocks = blocks;
    const terms = inverseRootTerms.length;
    [this.products, this.target, this.targetInverse, this.covariance, this.transport, this.inverses] = owning(
      ({ result }) => {
        result(blocks);
        return [n, n, n, n, n, terms * (n + pad)].map((columns) => blocks.allocateFloats(n * columns));
      },
    );
    [this.shifts, this.weights] = [terms, terms].map((count) => blocks.allocateFloats(count));
    engine.needScratch(scratchBytes(n));
    engine.memory.floats(this.target, n * n).set(values);
    engine.memory.floats(this.covariance, n * n).fill(0);
    this.invert(this.target, this.target, [0], 1);
    this.sum([1], this.targetInverse);
  }

  differentiate({ totals, products = new Float64Array(), positions }: Sums, weight: number) {
    const { engine, n, mean, added } = this;
    const means = totals.subarray(0, n).map((sum) => sum / positions);
    const [covariance, target] = this.squares(this.covariance, this.target);
    let value = this.trace;
    // tr(R S R), which is at least the largest eigenvalue.
    let size = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const entry = products[j * n + i] / positions - means[i] * means[j] + (i === j ? added : 0);
        covariance[i * n + j] = entry;
        size += (i === j ? 1 : 2) * entry * target[i * n + j];
      }
      value += covariance[i * n + i] + (means[i] - mean[i]) ** 2;
    }
    this.invert(
      this.covariance,
      this.targetInverse,
      inverseRootTerms.map(([shift]) => shift * size),
      inDoubles,
    );
    this.sum(
      inverseRootTerms.map(([, factor]) => factor * Math.sqrt(size)),
      this.transport,
    );
    this.invert(this.transport, this.transport, [0], 0);
    const inverse = engine.memory.floats(this.inverses, n * (n + pad));
    const [transport, matrix] = this.squares(this.transport, this.products);
    // A change dS comes from F by 2 (F - mu) dS / m.
    const scale = (2 * weight) / (n * positions);
    const byMean = new Float64Array(n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        const at = i * n + j;
        const traces = transport[at] * covariance[at] + inverse[at + i * pad] * target[at];
        const entry = scale * (Number(i === j) - transport[at]);
        value -= i === j ? traces : 2 * traces;
        matrix[((j >> 3) * n + i) * 8 + (j & 7)] = entry;
        matrix[((i >> 3) * n + j) * 8 + (i & 7)] = entry;
        byMean[i] += entry * means[j];
        if (i !== j) byMean[j] += entry * means[i];
      }
    const addends = Float32Array.from(mean, (target, c) => scale * (means[c] - target) - byMean[c]);
    // Rounding may take the distance of equal styles below 0.
    return { value: Math.max(0, value) / n, factors: new Float32Array(n), addends };
  }

  dispose(): void {
    this.blocks.dispose();
  }

  private squares(...addresses: number[]): Float32Array[] {
    const { n } = this;
    return addresses.map((address) => this.engine.memory.floats(address, n * n));
  }

  /** Inverses of a + s b for each shift s, the first of them in doubles. */
  private invert(a: number, b: number, shifts: readonly number[], doubles: number): void {
    const { engine, n } = this;
    engine.memory.floats(this.shifts, shifts.length).set(shifts);
    engine.run('invertPositive', [a, b, n, this.shifts, this.inverses, doubles], shifts.length);
  }

  /** The weighted sum of inverses. */
  private sum(weights: readonly number[], to: number): void {
    const { engine, n } = this;
    engine.memory.floats(this.weights, weights.length).set(weights);
    engine.run('sumInverses', [this.inverses, weights.length, n, this.weights, to], n / 8);
  }
}
