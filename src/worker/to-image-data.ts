import type { PixelArray } from '../image/pixel-array';

/**
 * Pixels for a canvas: values become 8 bits; transparency stays.
 *
 * @param image such as `result.image`, or the image of an interrupted run
 */
export function toImageData({ data, width, height, channels = 4 }: PixelArray): ImageData {
  const range = data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 65_535 : 255;
  const made = new ImageData(width, height);
  const colours = channels > 2 ? 3 : 1;
  const hasAlpha = channels === 2 || channels === 4;
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++)
      made.data[i * 4 + c] = (data[i * channels + (colours === 3 ? c : 0)] / range) * 255;
    made.data[i * 4 + 3] = hasAlpha ? (data[i * channels + channels - 1] / range) * 255 : 255;
  }
  return made;
}

/** A bitmap of pixels, which belongs to the caller. @param image as of {@link toImageData} */
export const toImageBitmap = (image: PixelArray): Promise<ImageBitmap> =>
  createImageBitmap(toImageData(image));
