import { lumaWeights } from './luma';

/**
 * The 8-bit grey levels of an image: round(0.299 R + 0.587 G + 0.114 B) of the 8-bit values of its channels, halves to even.
 *
 * One level changes the joint entropy of a 96x64 pair by 2e-4 bits, and one grey in a thousand is a half up to the last bit; so the sum
 * is rounded as NumPy's matrix product rounds it (one rounding for each multiply-add), which is what published numbers come from.
 *
 * @param pixels RGB, row-major, in [0,1]; values outside are clipped
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

/** `a * weight + c` with one rounding, for a whole number `a` of at most 24 bits: exact halves of the product, exact sum (Knuth's two-sum). */
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
