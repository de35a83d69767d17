/** Makes a bitmap of pixels, RGBA. */
export type ToBitmap = (
  pixels: Uint8ClampedArray<ArrayBuffer>,
  width: number,
  height: number,
) => Promise<ImageBitmap>;

/** A bitmap of pixels, by the platform. */
export const toBitmap: ToBitmap = (pixels, width, height) =>
  createImageBitmap(new ImageData(pixels, width, height));

/** RGBA of 8 bits from RGB in [0,1]. */
export function rgba(values: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray((values.length / 3) * 4);
  for (let from = 0, to = 0; from < values.length; from += 3, to += 4) {
    pixels[to] = values[from] * 255;
    pixels[to + 1] = values[from + 1] * 255;
    pixels[to + 2] = values[from + 2] * 255;
    pixels[to + 3] = 255;
  }
  return pixels;
}
