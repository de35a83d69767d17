/**
 * What convolutions multiply: numbers of 32 bits, or operands rounded to 16 with sums of 32. A file of its own, so that
 * checking an option loads no kernels.
 */
export const precisions = ['float32', 'mixed'] as const;

/** One of {@link precisions}. */
export type Precision = (typeof precisions)[number];
