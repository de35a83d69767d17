/** Steps over which the rate rises to its full height. */
const warmUp = 20;

/** The rate's last part of its height. */
const last = 0.05;

/**
 * The learning rate of a step: rises over the first 20, then falls along a cosine to 5 % at the end (Loshchilov &
 * Hutter 2017).
 *
 * @param rate its full height
 * @param step from 0
 * @param steps of the whole training
 */
export function learningRateAt(rate: number, step: number, steps: number): number {
  const rise = Math.min(1, (step + 1) / warmUp);
  const fall = last + (1 - last) * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
  return rate * rise * fall;
}
