import type { Random } from '../../../random';

/** A square of numbers without borders: what leaves it on one side comes in on the other. */
export interface Field {
  readonly side: number;
  readonly values: Float64Array;
}

/** Gaussian noise with mean 0 and variance 1, blurred so that it varies over about `scale` pixels. */
export function noiseField(random: Random, side: number, scale: number): Field {
  let values = new Float64Array(side * side).map(() => random.normal());
  // Three box blurs are a Gaussian blur of variance 3 (w^2 - 1) / 12, up to a few percent.
  const radius = Math.min(
    Math.floor((side - 1) / 2),
    Math.max(0, Math.round((Math.sqrt(4 * scale * scale + 1) - 1) / 2)),
  );
  for (let i = 0; i < 6; i++) values = transposed(blurredRows(values, side, radius), side);
  return { side, values: standardised(values) };
}

/** Octaves of noise from 1 to 32 pixels, whose strength grows with the scale to the power `roughness`. */
export function cloudField(random: Random, side: number, roughness: number): Field {
  const sum = new Float64Array(side * side);
  for (let octave = 0; octave < 6; octave++) {
    const { values } = noiseField(random, side, 2 ** octave);
    values.forEach((value, i) => {
      sum[i] += value * 2 ** (octave * roughness);
    });
  }
  return { side, values: standardised(sum) };
}

/** The value at a place, wrapped around. */
export function fieldAt({ side, values }: Field, x: number, y: number): number {
  const wrap = (position: number) => ((Math.floor(position) % side) + side) % side;
  return values[wrap(y) * side + wrap(x)];
}

/** The limits that divide the field's values into `parts` of equal size. */
export function quantiles({ values }: Field, parts: number): number[] {
  const sorted = values.toSorted();
  return Array.from({ length: parts - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / parts)]);
}

function blurredRows(values: Float64Array, side: number, radius: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let row = 0; row < values.length; row += side) {
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += values[row + ((i + side) % side)];
    for (let x = 0; x < side; x++) {
      result[row + x] = sum;
      sum += values[row + ((x + radius + 1) % side)] - values[row + ((x - radius + side) % side)];
    }
  }
  return result;
}

function transposed(values: Float64Array, side: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(values.length);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) result[x * side + y] = values[y * side + x];
  }
  return result;
}

function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance));
}
