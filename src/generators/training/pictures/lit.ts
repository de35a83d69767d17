import type { RgbPixels } from '../../../image/pixel-array';

/** A picture with a light of each pixel, which may be dark, added to its colours. */
export function lit(picture: RgbPixels, light: Float64Array): RgbPixels {
  const data = picture.data.map((value, i) => Math.min(1, Math.max(0, value + light[Math.floor(i / 3)])));
  return { ...picture, data };
}
