import { ImageError } from '../../errors';
import type { RgbPixels } from '../../image/pixel-array';
import { resize } from '../../image/resize';
import { Random } from '../../random';
import type { BytePicture, Pictures } from './pictures';

/** Smallest part of a picture's shorter side that a crop shows. */
const smallest = 0.35;

/** Standard deviations of what colours are multiplied by, each channel for itself, and of what is added to all. */
const recolouring = { factor: 0.1, shift: 0.05 };

/** Least standard deviation of a crop's values: instance norm turns flat ones, a night sky, into noise. */
const liveliness = 0.08;

/** Crops that are looked at for a lively one. */
const attempts = 200;

/**
 * The crop of a step: a random square of a random picture, scaled, mirrored half of the time, and lightly recoloured.
 * It depends on the seed and the step alone, so that a training may go on at any step.
 *
 * @param size height and width in pixels
 * @throws ImageError `TOO_FLAT` if no crop has contrast
 */
export async function cropAt(
  pictures: Pictures,
  { seed, step, size }: { readonly seed: number; readonly step: number; readonly size: number },
): Promise<RgbPixels> {
  const random = new Random(seed, step + 1);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const picture = await pictures.at(random.integer(pictures.count));
    const crop = recoloured(random, mirrored(random, square(random, picture, size)));
    if (deviation(crop) > liveliness) return crop;
  }
  const accepted = `pictures in which a crop's values deviate by ${liveliness} or more`;
  throw new ImageError(
    'TOO_FLAT',
    `images has no crop with contrast: ${attempts} crops of ${pictures.count} pictures are nearly of one colour each; accepted: ${accepted}.`,
    { option: 'images', value: pictures.count, accepted },
  );
}

/** A square of a random side, whose logarithm is uniform, and at a random place. */
function square(random: Random, { data, width, height }: BytePicture, size: number): RgbPixels {
  const shorter = Math.min(width, height);
  // Crops are not enlarged where that can be helped.
  const least = Math.max(smallest, Math.min(1, size / shorter));
  const side = Math.max(1, Math.floor(shorter * Math.exp(random.uniform(Math.log(least), 0))));
  const [left, top] = [random.integer(width - side + 1), random.integer(height - side + 1)];
  const crop = new Float32Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = 3 * ((top + y) * width + left);
    for (let i = 0; i < 3 * side; i++) crop[3 * y * side + i] = data[from + i] / 255;
  }
  return resize({ data: crop, width: side, height: side }, size, size);
}

function mirrored(random: Random, { data, width, height }: RgbPixels): RgbPixels {
  if (random.chance(0.5)) return { data, width, height };
  const mirror = new Float32Array(data.length);
  for (let i = 0; i < width * height; i++) {
    const x = i % width;
    const from = 3 * (i - x + width - 1 - x);
    mirror.set(data.subarray(from, from + 3), 3 * i);
  }
  return { data: mirror, width, height };
}

function recoloured(random: Random, { data, width, height }: RgbPixels): RgbPixels {
  const factors = [0, 1, 2].map(() => random.normal(1, recolouring.factor));
  const shift = random.normal(0, recolouring.shift);
  const colour = (value: number, i: number) => Math.min(1, Math.max(0, value * factors[i % 3] + shift));
  return { data: data.map(colour), width, height };
}

/** Standard deviation of all values. */
export function deviation({ data }: Pick<RgbPixels, 'data'>): number {
  let [sum, squares] = [0, 0];
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / data.length;
  return Math.sqrt(Math.max(0, squares / data.length - mean * mean));
}
