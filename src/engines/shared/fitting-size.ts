/** [height, width] of an image in pixels. */
export type Size = readonly [height: number, width: number];

/**
 * The largest size of the same proportions that fits, to a part in 2^16; at least one pixel.
 *
 * @param fits whether an image of a size fits; if it does, smaller ones do
 */
export function fittingSize([height, width]: Size, fits: (size: Size) => boolean): Size {
  const scaled = (factor: number): Size => [
    Math.max(1, Math.floor(height * factor)),
    Math.max(1, Math.floor(width * factor)),
  ];
  let [least, most] = [0, 1];
  for (let halving = 0; halving < 16; halving++) {
    const middle = (least + most) / 2;
    if (fits(scaled(middle))) least = middle;
    else most = middle;
  }
  return scaled(least);
}
