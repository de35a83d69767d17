import type { StatisticTerm } from '../../../losses/loss';
import { polarSteps } from '../../../losses/matrix-root';
import { owning } from '../../../owning';
import { Blocks } from '../blocks';
import type { KernelRunner } from '../runtime/kernel-runner';
import { tensorValues } from '../tensor-values';
import type { MapShape } from './gram-term';
import type { MomentsDistance, Sums } from './moments-distance';

/** Bytes of {@link WassersteinDistance} for n channels: eight matrices of floats, one of doubles. */
export const wassersteinBytes = (n: number): number => (8 * 4 + 8) * n * n;

/** Rows of a product for each item, as in the kernel. */
const rows = 16;

/**
 * The squared 2-Wasserstein distance of Gaussians, as `wasserstein`:
 *
 *   (|mu - mu^|^2 + tr(S + S^ - 2 (S^^1/2 S S^^1/2)^1/2)) / n
 *
 * With the Cholesky factor S = L L^T the trace of the root is the sum of singular values of M = L^T S^^1/2, and its
 * gradient with respect to S is L^-T U S^^1/2 / 2, U the orthogonal polar factor of M: a factorisation and a solution
 * by substitution, both in double precision, stand for the root of S and its inverse, and half of the products are
 * symmetric.
 */
export class WassersteinDistance implements MomentsDistance {
  readonly products: number;
  private readonly blocks: Blocks;
  private readonly n: number;
  private readonly mean: Float32Array;
  private readonly trace: number;
  private readonly added: number;
  /** S^^1/2 in panels. */
  private readonly root: number;
  /** [n][n] doubles: S, and then L. */
  private readonly factor: number;
  private readonly x: number;
  private readonly other: number;
  private readonly xPanels: number;
  private readonly t: number;
  private readonly tPanels: number;
  private readonly t2: number;

  constructor(
    private readonly engine: KernelRunner,
    { target, layer }: StatisticTerm,
    [, , , n]: MapShape,
  ) {
    const what = `The target of ${layer}`;
    const [mean, root, trace, added] = target;
    this.n = n;
    this.mean = tensorValues(mean, what, [1, n], layer);
    [this.trace] = tensorValues(trace, what, [], layer);
    [this.added] = tensorValues(added, what, [], layer);
    const values = tensorValues(root, what, [n, n], layer);
    const blocks = new Blocks(engine.memory);
    this.blocks = blocks;
    [this.factor, this.products, this.root, this.x, this.other, this.xPanels, this.t, this.tPanels, this.t2] =
      owning(({ result }) => {
        result(blocks);
        return [8, 4, 4, 4, 4, 4, 4, 4, 4].map((bytes) => blocks.allocate(bytes * n * n));
      });
    engine.needScratch(64 * n);
    engine.memory.floats(this.x, n * n).set(values);
    this.panelsOf(this.x, this.root);
  }

  differentiate({ totals, products = new Float64Array(), positions }: Sums, weight: number) {
    const { engine, n, mean, added, factor, x, root } = this;
    const { memory } = engine;
    const means = totals.subarray(0, n).map((sum) => sum / positions);
    const covariance = memory.doubles(factor, n * n);
    let value = this.trace;
    for (let i = 0; i < n; i++) {
      for (let j = i; j < n; j++)
        covariance[j * n + i] = products[i * n + j] / positions - means[i] * means[j] + (i === j ? added : 0);
      value += covariance[i * n + i] + (means[i] - mean[i]) ** 2;
    }
    engine.run('cholesky', [factor, n, 0, 0], 1);
    this.transposedFactor(x);
    this.multiply(x, root, this.other);
    const product = memory.floats(this.other, n * n).slice();
    this.polar();
    const polar = memory.floats(this.other, n * n);
    let shared = 0;
    for (let i = 0; i < n * n; i++) shared += polar[i] * product[i];
    this.multiply(this.other, root, x);
    engine.run('solveTransposed', [factor, n, x, this.other], n / 8);
    const slope = memory.floats(this.other, n * n);
    // d value / d S = I - L^-T U S^^1/2, symmetrised; a change dS comes from F by 2 (F - mu) dS / m.
    const scale = (2 * weight) / (n * positions);
    const symmetric = memory.floats(this.t, n * n);
    const addends = new Float32Array(n);
    const byMean = new Float64Array(n);
    for (let i = 0; i < n; i++)
      for (let j = i; j < n; j++) {
        const entry = scale * (Number(i === j) - (slope[i * n + j] + slope[j * n + i]) / 2);
        symmetric[i * n + j] = entry;
        byMean[j] += entry * means[i];
        if (i !== j) byMean[i] += entry * means[j];
      }
    for (let c = 0; c < n; c++) addends[c] = scale * (means[c] - mean[c]) - byMean[c];
    this.symmetricPanels(this.t, this.t, this.products, [0, 1, 0]);
    // Rounding may take the distance of equal styles below 0.
    return { value: Math.max(0, value - 2 * shared) / n, factors: new Float32Array(n), addends };
  }

  dispose(): void {
    this.blocks.dispose();
  }

  /** L^T as floats. */
  private transposedFactor(to: number): void {
    const { n, factor } = this;
    const { memory } = this.engine;
    const [lower, upper] = [memory.doubles(factor, n * n), memory.floats(to, n * n)];
    upper.fill(0);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) upper[j * n + i] = lower[i * n + j];
  }

  /** Replaces the matrix in `other` by its orthogonal polar factor, as `polarFactor` does. */
  private polar(): void {
    const { engine, n, t, tPanels, t2, xPanels } = this;
    const entries = engine.memory.floats(this.other, n * n);
    let square = 0;
    for (const entry of entries) square += entry * entry;
    const inverse = 1 / Math.sqrt(square);
    for (let i = 0; i < entries.length; i++) entries[i] *= inverse;
    let [from, to] = [this.other, this.x];
    for (const [a, b, c] of polarSteps) {
      this.panelsOf(from, xPanels);
      engine.run('squareGram', [0, xPanels, t, n], n / 8);
      this.symmetricPanels(t, t, tPanels, [0, 1, 0]);
      engine.run('squareGram', [0, tPanels, t2, n], n / 8);
      this.symmetricPanels(t, t2, tPanels, [a, b, c]);
      this.multiply(from, tPanels, to);
      [from, to] = [to, from];
    }
    if (from !== this.other) engine.memory.floats(this.other, n * n).set(engine.memory.floats(from, n * n));
  }

  private multiply(a: number, panels: number, to: number): void {
    this.engine.run('multiplySquare', [a, panels, to, this.n], Math.ceil(this.n / rows));
  }

  private panelsOf(matrix: number, to: number): void {
    this.engine.run('squarePanels', [matrix, 0, to, this.n], this.n / 8);
  }

  private symmetricPanels(a: number, b: number, to: number, factors: readonly number[]): void {
    const floats = factors.map((float) => ({ float }));
    this.engine.run('symmetricPanels', [a, b, to, this.n, ...floats], this.n / 8);
  }
}
