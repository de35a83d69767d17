import fc from 'fast-check';
import type { PixelArray } from '../../src/image/pixel-array';

/** 8-bit RGB pixels from a function of position and channel, which gives 0..255. */
export function pixelsOf(
  width: number,
  height: number,
  value: (x: number, y: number, channel: number) => number,
): Required<PixelArray> & { data: Uint8Array } {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return value(pixel % width, Math.floor(pixel / width), i % 3);
  });
  return { data, width, height, channels: 3 };
}

/** One colour everywhere. */
export const constantPixels = (width: number, height: number, level: number) =>
  pixelsOf(width, height, () => level);

/** Seeded noise, the same on every machine (a linear congruential generator; Numerical Recipes' constants). */
export function noisePixels(width: number, height: number, seed: number) {
  let state = seed >>> 0;
  return pixelsOf(width, height, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Any 8-bit image of a size. */
export const anyPixels = (width: number, height: number): fc.Arbitrary<Required<PixelArray>> =>
  fc
    .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
    .map((data) => ({ data, width, height, channels: 3 as const }));
