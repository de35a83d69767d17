/** What a feature map adds up to. */
export interface Sums {
  /** [n] sums and [n] sums of squares. */
  readonly totals: Float64Array;
  /** [n][n] sums of products, on and above the diagonal. */
  readonly products: Float64Array | undefined;
  /** What sums are divided by in means: the number of positions, or the sum of their weights. */
  readonly positions: number;
}

/** A distance as a function of {@link Sums}: weight * d value / d F = F S + F * factors + addends. */
export interface MomentsDistance {
  /** Address of panels [n/8][n][8] of the symmetric matrix S, after {@link differentiate}; 0 without products. */
  readonly products: number;
  /** Distance without the weight, and its gradient. */
  differentiate(
    sums: Sums,
    weight: number,
  ): { readonly value: number; readonly factors: Float32Array; readonly addends: Float32Array };
  /** Frees the memory. Safe to call twice. */
  dispose(): void;
}
