/**
 * Weights of red, green and blue in grey (ITU-R BT.601), which Wang et al. 2004 and scikit-image's tests use. They add
 * up to 1.
 */
export const lumaWeights: readonly [number, number, number] = [0.299, 0.587, 0.114];

/**
 * The 8-bit grey levels of an image: round(0.299 R + 0.587 G + 0.114 B) of the 8-bit values of its channels, halves to
 * even.
 *
 * For one pixel in a thousand the sum is a half up to the last bit, and one level more or less changes the joint
 * entropy of a 96x64 pair by 2e-4 bits. The sum is therefore rounded as by NumPy's matrix product, with which published
 * numbers are computed: one rounding for each multiply-add.
 *
 * @param pixels RGB, row-major, in [0,1]; values outside are clipped
 * @returns one level for each pixel
 */
export function greyLevels(pixels: ArrayLike<number>): Uint8Array {
  const [red, green, blue] = lumaWeights;
  const levels = new Uint8Array(pixels.length / 3);
  for (let i = 0; i < levels.length; i++) {
    const [r, g, b] = [level(pixels[3 * i]), level(pixels[3 * i + 1]), level(pixels[3 * i + 2])];
    levels[i] = roundHalfToEven(multiplyAdd(b, blue, multiplyAdd(g, green, r * red)));
  }
  return levels;
}

const level = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));

/**
 * `a * weight + c` with one rounding, for a whole number `a` of at most 24 bits: `weight` is split into two parts whose
 * products with `a` are exact, and the rounding error of the sum is computed (Knuth's two-sum).
 */
function multiplyAdd(a: number, weight: number, c: number): number {
  const high = Math.fround(weight);
  const product = a * high;
  const sum = product + c;
  const rest = sum - product;
  return sum + (product - (sum - rest) + (c - rest) + a * (weight - high));
}

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below + (below % 2);
}
