/** Taps of a Gaussian of sum 1 from its middle on, to the third standard deviation. */
export function gaussianTaps(deviation: number): readonly number[] {
  const radius = Math.ceil(3 * deviation);
  const taps = Array.from({ length: radius + 1 }, (_, i) => Math.exp((-i * i) / (2 * deviation ** 2)));
  const sum = taps.reduce((total, tap, i) => total + (i === 0 ? tap : 2 * tap), 0);
  return taps.map((tap) => tap / sum);
}
