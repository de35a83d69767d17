const [beta1, beta2, epsilon] = [0.9, 0.99, 1e-8];

/** What Adam remembers of the gradients so far, one number for each parameter. */
export interface AdamMoments {
  /** Running mean of the gradients, not corrected for its start at 0. */
  readonly mean: Float32Array<ArrayBuffer>;
  /** Running mean of their squares. */
  readonly square: Float32Array<ArrayBuffer>;
}

/** The moments before the first step. */
export const noMoments = (parameters: number): AdamMoments => ({
  mean: new Float32Array(parameters),
  square: new Float32Array(parameters),
});

/**
 * One step of Adam (Kingma & Ba 2015, algorithm 1) with decay rates 0.9 and 0.99. A loss of one random crop changes
 * from step to step, so none of `minimize`'s methods applies, which compare values.
 *
 * @param parameters changed in place, as are the moments
 * @param step from 0
 * @param factor what the gradient is multiplied by
 */
export function adamUpdate(
  parameters: Float32Array,
  { mean, square }: AdamMoments,
  gradient: Float32Array,
  { rate, step, factor }: { readonly rate: number; readonly step: number; readonly factor: number },
): void {
  const ofMean = 1 - beta1 ** (step + 1);
  const ofSquare = 1 - beta2 ** (step + 1);
  for (let i = 0; i < parameters.length; i++) {
    const slope = factor * gradient[i];
    mean[i] = beta1 * mean[i] + (1 - beta1) * slope;
    square[i] = beta2 * square[i] + (1 - beta2) * slope * slope;
    parameters[i] -= (rate * (mean[i] / ofMean)) / (Math.sqrt(square[i] / ofSquare) + epsilon);
  }
}
