/** RGB values in [0,1], row by row. */
export interface Pixels {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/**
 * Mean magnitude of the Laplacian of both colour differences, R - Y and B - Y with the luma of BT.601: coloured speckle
 * from pixel to pixel, which brush strokes of one colour do not have.
 */
export function colourNoise({ data, width, height }: Pixels): number {
  const differences = [0, 2].map((channel) =>
    Float64Array.from({ length: width * height }, (_, i) => {
      const luma = 0.299 * data[3 * i] + 0.587 * data[3 * i + 1] + 0.114 * data[3 * i + 2];
      return data[3 * i + channel] - luma;
    }),
  );
  let sum = 0;
  for (const plane of differences)
    for (let y = 1; y < height - 1; y++)
      for (let x = 1; x < width - 1; x++) {
        const at = y * width + x;
        const around = plane[at - 1] + plane[at + 1] + plane[at - width] + plane[at + width];
        sum += Math.abs(around - 4 * plane[at]);
      }
  return sum / (2 * (width - 2) * (height - 2));
}

/** Pixels from the border to the inside that a strip along it would differ from. */
const lag = 6;

/**
 * Mean colour difference of pixels at the border from those 6 pixels further in, relative to that of pixels at the same
 * distance anywhere. About 1 for a picture that goes on to its border; a strip of another colour gives more, a
 * washed-out one less.
 */
export function borderContrast({ data, width, height }: Pixels): number {
  const difference = (x: number, y: number, dx: number, dy: number) => {
    const [a, b] = [3 * (y * width + x), 3 * ((y + dy) * width + x + dx)];
    return [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[a + c] - data[b + c]), 0);
  };
  const [outer, all] = [new Mean(), new Mean()];
  for (let y = 0; y < height; y++) {
    outer.add(difference(0, y, lag, 0));
    outer.add(difference(width - 1, y, -lag, 0));
    for (let x = lag; x < width - 2 * lag; x++) all.add(difference(x, y, lag, 0));
  }
  for (let x = 0; x < width; x++) {
    outer.add(difference(x, 0, 0, lag));
    outer.add(difference(x, height - 1, 0, -lag));
    for (let y = lag; y < height - 2 * lag; y++) all.add(difference(x, y, 0, lag));
  }
  return outer.value / all.value;
}

class Mean {
  private sum = 0;
  private count = 0;

  add(value: number): void {
    this.sum += value;
    this.count++;
  }

  get value(): number {
    return this.sum / this.count;
  }
}
