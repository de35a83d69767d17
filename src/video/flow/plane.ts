/** Values of a picture's pixels, one each, row by row. */
export interface Plane {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** A displacement of each pixel, to the right and down, in pixels. */
export interface Displacements {
  readonly across: Plane;
  readonly down: Plane;
}

/** A plane of zeros, or of given values, of the size of another. */
export const planeLike = (
  { width, height }: Plane,
  values: Float32Array = new Float32Array(width * height),
): Plane => ({
  values,
  width,
  height,
});

/** Luma of RGB pixels by the weights of Rec. 601. */
export function lumaOf(rgb: ArrayLike<number>, width: number, height: number): Plane {
  const values = new Float32Array(width * height);
  for (let k = 0; k < values.length; k++)
    values[k] = 0.299 * rgb[3 * k] + 0.587 * rgb[3 * k + 1] + 0.114 * rgb[3 * k + 2];
  return { values, width, height };
}

/** Taps of a Gaussian of sum 1 from its middle on, to the third standard deviation. */
export function gaussianTaps(deviation: number): readonly number[] {
  const radius = Math.ceil(3 * deviation);
  const taps = Array.from({ length: radius + 1 }, (_, i) => Math.exp((-i * i) / (2 * deviation ** 2)));
  const sum = taps.reduce((total, tap, i) => total + (i === 0 ? tap : 2 * tap), 0);
  return taps.map((tap) => tap / sum);
}

/**
 * Convolves a plane with a symmetric filter along rows and columns. Beyond the border lies the nearest pixel.
 *
 * @param taps of the filter from its middle on
 * @param scratch of the plane's length; receives rows
 * @param to receives the result; may be the plane's own values
 */
export function blur(
  { values, width, height }: Plane,
  taps: readonly number[],
  scratch: Float32Array,
  to: Float32Array,
): void {
  const radius = taps.length - 1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const inner = Math.max(radius, width - radius);
    for (let x = 0; x < width; x++) {
      let sum = taps[0] * values[row + x];
      if (x >= radius && x < inner)
        for (let i = 1; i <= radius; i++) sum += taps[i] * (values[row + x - i] + values[row + x + i]);
      else
        for (let i = 1; i <= radius; i++)
          sum += taps[i] * (values[row + Math.max(0, x - i)] + values[row + Math.min(width - 1, x + i)]);
      scratch[row + x] = sum;
    }
  }
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const middle = taps[0];
    for (let x = 0; x < width; x++) to[row + x] = middle * scratch[row + x];
    for (let i = 1; i <= radius; i++) {
      const tap = taps[i];
      const above = Math.max(0, y - i) * width;
      const below = Math.min(height - 1, y + i) * width;
      for (let x = 0; x < width; x++) to[row + x] += tap * (scratch[above + x] + scratch[below + x]);
    }
  }
}

/** A plane at half its size, rounded up: every other pixel after a blur. */
export function halved(plane: Plane): Plane {
  const { width, height } = plane;
  const blurred = planeLike(plane);
  blur(plane, binomial, new Float32Array(width * height), blurred.values);
  const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
  const values = new Float32Array(w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) values[y * w + x] = blurred.values[2 * y * width + 2 * x];
  return { values, width: w, height: h };
}

/** [1 4 6 4 1] / 16 from its middle on. */
const binomial = [6 / 16, 4 / 16, 1 / 16];

/** The value at a position between pixels, bilinear; beyond the border that of the border. */
export function sample({ values, width, height }: Plane, x: number, y: number): number {
  const cx = Math.min(width - 1, Math.max(0, x));
  const cy = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
  const x1 = Math.min(width - 1, x0 + 1);
  const [top, bottom] = [y0 * width, Math.min(height - 1, y0 + 1) * width];
  const [fx, fy] = [cx - x0, cy - y0];
  const upper = values[top + x0] + fx * (values[top + x1] - values[top + x0]);
  const lower = values[bottom + x0] + fx * (values[bottom + x1] - values[bottom + x0]);
  return upper + fy * (lower - upper);
}
