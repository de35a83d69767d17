/**
 * The pairs of L-BFGS and, as double-precision numbers, all inner products that its two-loop recursion (Nocedal &
 * Wright, algorithm 7.4) needs, so that a direction is one linear combination of vectors and costs no read-back: the
 * vector-free L-BFGS of Chen, Wang & Zhou (NIPS 2014), extended to an initial matrix H0 = gamma P. With z = P y kept in
 * place of y, the recursion's result at a gradient q is
 *
 *   H q = gamma P q + sum_i (a_i s_i - gamma alpha_i z_i)
 *
 * and its coefficients need only s_i.y_j and z_i.y_j of pairs i not younger than j, s_i.q and z_i.q: with each new
 * point, every vector of the history is multiplied by two others, the new y and the new q.
 */
export class LbfgsHistory<V> {
  private pairs: Pair<V>[] = [];

  constructor(private readonly memory: number) {}

  get isEmpty(): boolean {
    return this.pairs.length === 0;
  }

  /** s and z of every pair, oldest first: s, z, s, z, ... */
  get vectors(): readonly V[] {
    return this.pairs.flatMap(({ s, z }) => [s, z]);
  }

  /** Notes the inner products of {@link vectors} with the gradient q that the next direction is for. */
  setGradient(byQ: readonly number[]): void {
    this.pairs.forEach((pair, i) => {
      [pair.sq, pair.zq] = [byQ[2 * i], byQ[2 * i + 1]];
    });
  }

  /** Forgets the oldest pair if the history is full. @returns its vectors */
  makeRoom(): readonly V[] {
    if (this.pairs.length < this.memory) return [];
    const [oldest, ...kept] = this.pairs;
    this.pairs = kept.map((pair) => ({ ...pair, sy: pair.sy.slice(1), zy: pair.zy.slice(1) }));
    return [oldest.s, oldest.z];
  }

  /**
   * Adds a pair, for which there must be room. `byY` and `byQ` are the inner products of {@link vectors}, s and z with
   * the pair's y and with q.
   */
  add(s: V, z: V, byY: readonly number[], byQ: readonly number[]): void {
    const sy = byY.filter((_, k) => k % 2 === 0);
    const zy = byY.filter((_, k) => k % 2 === 1);
    this.pairs.push({ s, z, sy, zy, sq: 0, zq: 0 });
    this.setGradient(byQ);
  }

  /** Forgets all pairs and returns their vectors. */
  clear(): readonly V[] {
    const { vectors } = this;
    this.pairs = [];
    return vectors;
  }

  /** H q as coefficients of {@link vectors} and, last, of P q; and q.H q. `qPq` is the inner product of q and P q. */
  direction(qPq: number): { readonly coefficients: readonly number[]; readonly qHq: number } {
    const { pairs } = this;
    const count = pairs.length;
    const newest = pairs.at(-1);
    const gamma = newest ? newest.sy[count - 1] / newest.zy[count - 1] : 1;
    const curvature = (i: number): number => pairs[i].sy[i];
    const yPy = (i: number, j: number): number => pairs[Math.max(i, j)].zy[Math.min(i, j)];

    const alpha = new Float64Array(count);
    for (let i = count - 1; i >= 0; i--) {
      let sq = pairs[i].sq;
      for (let j = i + 1; j < count; j++) sq -= alpha[j] * pairs[j].sy[i];
      alpha[i] = sq / curvature(i);
    }
    const a = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      let yr = gamma * pairs[i].zq;
      for (let j = 0; j < count; j++) yr -= gamma * alpha[j] * yPy(i, j);
      for (let j = 0; j < i; j++) yr += a[j] * pairs[i].sy[j];
      a[i] = alpha[i] - yr / curvature(i);
    }
    const qHq = pairs.reduce((sum, { sq, zq }, i) => sum + a[i] * sq - gamma * alpha[i] * zq, gamma * qPq);
    return { coefficients: [...pairs.flatMap((_, i) => [a[i], -gamma * alpha[i]]), gamma], qHq };
  }
}

interface Pair<V> {
  /** Change of x. */
  readonly s: V;
  /** P times the change y of the gradient. */
  readonly z: V;
  /** s_i.y of this pair's y with each pair i up to this one, oldest first; the last is the curvature s.y. */
  readonly sy: readonly number[];
  /** z_i.y likewise; the last is y.P y. */
  readonly zy: readonly number[];
  /** s and z times the gradient that the next direction is for. */
  sq: number;
  zq: number;
}
