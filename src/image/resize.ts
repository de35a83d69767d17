import { inTurns, type Work } from './in-turns';
import type { RgbPixels } from './pixel-array';
import { type SizeRule, sizeAfter } from './size-rule';

/** Lobes of the Lanczos window: 3, the usual compromise of sharpness and ringing, also used by sharp for files. */
const lobes = 3;

/**
 * Resizes an image by a rule, with Lanczos resampling; for reduction the filter is widened against aliasing. Computed
 * in JavaScript for equal bits on every backend, and because tfjs' own resizing does not filter.
 *
 * @throws the reason of `signal`, soon after an abort
 */
export function resizeBy(
  pixels: RgbPixels,
  rule: SizeRule | undefined,
  signal?: AbortSignal,
): Promise<RgbPixels> {
  return inTurns(resizing(pixels, rule), signal);
}

/** {@link resizeBy} to a width and a height, synchronously. */
export function resize(pixels: RgbPixels, width: number, height: number): RgbPixels {
  const work = resizing(pixels, { width, height });
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

function* resizing(pixels: RgbPixels, rule: SizeRule | undefined): Work<RgbPixels> {
  const { width, height } = sizeAfter(rule, pixels.width, pixels.height);
  if (!(rule && 'crop' in rule && rule.crop)) return yield* resample(pixels, width, height);
  const factor = Math.max(width / pixels.width, height / pixels.height);
  const whole = yield* resample(
    pixels,
    Math.max(width, Math.round(pixels.width * factor)),
    Math.max(height, Math.round(pixels.height * factor)),
  );
  return crop(whole, width, height);
}

function* resample(pixels: RgbPixels, width: number, height: number): Work<RgbPixels> {
  if (pixels.width === width && pixels.height === height) return pixels;
  const columns = yield* resampleRows(yield* transpose(pixels), width);
  const { data } = yield* resampleRows(yield* transpose(columns), height);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.min(1, Math.max(0, data[i]));
    if (i % 65536 === 0) yield;
  }
  return { data, width, height };
}

/** The middle of an image. */
function crop(pixels: RgbPixels, width: number, height: number): RgbPixels {
  const left = (pixels.width - width) >> 1;
  const top = (pixels.height - height) >> 1;
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * pixels.width + left) * 3;
    data.set(pixels.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { data, width, height };
}

/** Resamples along the vertical axis: each new row is a weighted sum of old ones. */
function* resampleRows(source: RgbPixels, height: number): Work<RgbPixels> {
  const { width } = source;
  if (height === source.height) return source;
  const stride = width * 3;
  const data = new Float32Array(height * stride);
  const scale = source.height / height;
  const filterScale = Math.max(1, scale);
  const reach = lobes * filterScale;
  for (let y = 0; y < height; y++) {
    const centre = (y + 0.5) * scale - 0.5;
    const first = Math.max(0, Math.ceil(centre - reach));
    const last = Math.min(source.height - 1, Math.floor(centre + reach));
    const weights = Array.from({ length: last - first + 1 }, (_, i) =>
      lanczos((first + i - centre) / filterScale),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    for (const [i, weight] of weights.entries()) {
      const from = (first + i) * stride;
      const share = weight / total;
      for (let x = 0; x < stride; x++) data[y * stride + x] += share * source.data[from + x];
    }
    yield;
  }
  return { data, width, height };
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= lobes) return 0;
  const t = Math.PI * x;
  return (lobes * Math.sin(t) * Math.sin(t / lobes)) / (t * t);
}

function* transpose({ data, width, height }: RgbPixels): Work<RgbPixels> {
  const result = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) result[(x * height + y) * 3 + c] = data[(y * width + x) * 3 + c];
    }
    yield;
  }
  return { data: result, width: height, height: width };
}
