import type { LayerName } from '../features/layer-name';

/** Gram matrices as numbers, [channels][channels] by layer. */
export type GramNumbers = ReadonlyMap<LayerName, Float32Array>;

/**
 * The mean of Gram matrices, each with a weight: sum of w_i G_i / sum of w_i. It holds one matrix a layer, in double
 * precision, however many are added; the mean of one is that one, to the bit, whatever its weight.
 *
 * Gram matrices, which are raw second moments up to their scale, blend: the mean is the Gram matrix of all images'
 * features together, each image weighing as its weight says. Covariances do not.
 */
export class StyleFold {
  private readonly sums = new Map<LayerName, Float64Array>();
  /** Sum of the weights so far. */
  private total = 0;

  /** Adds the matrices of one style. @param weight at least 0; at 0 nothing is added */
  add(grams: GramNumbers, weight: number): void {
    if (weight === 0) return;
    this.total += weight;
    for (const [layer, values] of grams) {
      const sum = this.sums.get(layer) ?? new Float64Array(values.length);
      for (let i = 0; i < values.length; i++) sum[i] += weight * values[i];
      this.sums.set(layer, sum);
    }
  }

  /** Whether a matrix of positive weight has been added. */
  get hasStyle(): boolean {
    return this.total > 0;
  }

  /** The mean of what has been added. */
  mean(): GramNumbers {
    const { total } = this;
    return new Map(
      Array.from(this.sums, ([layer, sum]) => [layer, Float32Array.from(sum, (x) => x / total)]),
    );
  }
}
