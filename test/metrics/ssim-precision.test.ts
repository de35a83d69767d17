import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PixelArray } from '../../src/image/pixel-array';
import { type Channels, msSsim, type SsimWindowName, ssim, ssimOfTensors } from '../../src/metrics';
import { constantPixels } from '../support/pixels';
import { ssimPaths } from '../support/ssim-paths';

interface Settings {
  readonly channels?: Channels;
  readonly window?: SsimWindowName;
  readonly dataRange?: number;
}

/** An image as double-precision numbers, [height][width][channel]. */
type Pixels = readonly (readonly (readonly number[])[])[];

/** The planes of an image: its unrounded grey, or its channels. */
const planesOf = (pixels: Pixels, channels: Channels): number[][][] =>
  channels === 'luma'
    ? [pixels.map((row) => row.map(([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b))]
    : [0, 1, 2].map((c) => pixels.map((row) => row.map((pixel) => pixel[c])));

/**
 * SSIM written as Wang et al. 2004 print it, in double precision: every window's means, variances and covariance by
 * plain loops.
 */
function byLoops(a: Pixels, b: Pixels, { channels = 'luma', window = 'gaussian', dataRange = 1 }: Settings) {
  const size = window === 'gaussian' ? 11 : 7;
  const raw = Array.from({ length: size }, (_, i) =>
    window === 'gaussian' ? Math.exp(-((i - 5) ** 2) / 4.5) : 1,
  );
  const total = raw.reduce((sum, w) => sum + w, 0);
  const weights = raw.map((w) => w / total);
  const factor = window === 'gaussian' ? 1 : 49 / 48;
  const [c1, c2] = [(0.01 * dataRange) ** 2, (0.03 * dataRange) ** 2];
  const [planesA, planesB] = [planesOf(a, channels), planesOf(b, channels)];
  let [sum, count] = [0, 0];
  planesA.forEach((x, p) => {
    const y = planesB[p];
    for (let top = 0; top + size <= x.length; top++) {
      for (let left = 0; left + size <= x[0].length; left++) {
        let [muX, muY, varX, varY, covariance] = [0, 0, 0, 0, 0];
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            const weight = weights[i] * weights[j];
            muX += weight * x[top + i][left + j];
            muY += weight * y[top + i][left + j];
          }
        for (let i = 0; i < size; i++)
          for (let j = 0; j < size; j++) {
            const weight = factor * weights[i] * weights[j];
            const [dx, dy] = [x[top + i][left + j] - muX, y[top + i][left + j] - muY];
            varX += weight * dx * dx;
            varY += weight * dy * dy;
            covariance += weight * dx * dy;
          }
        const luminance = (2 * muX * muY + c1) / (muX ** 2 + muY ** 2 + c1);
        sum += luminance * ((2 * covariance + c2) / (varX + varY + c2));
        count++;
      }
    }
  });
  return sum / count;
}

const tensorOf = (pixels: Pixels) => tf.tensor3d(pixels as unknown as number[][][]);

/**
 * Two images of one size: brightness, contrast and how much the second differs from the first, as float32 holds them.
 */
const anyPair = (contrasts: readonly number[]) =>
  fc
    .record({
      level: fc.constantFrom(0, 0.02, 0.5, 0.93),
      contrast: fc.constantFrom(...contrasts),
      difference: fc.constantFrom(0, 0.01, 1),
      shift: fc.constantFrom(0, 0.01, -0.4),
      seed: fc.integer({ min: 1, max: 1e6 }),
    })
    .map(({ level, contrast, difference, shift, seed }) => {
      let state = seed;
      const next = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
      };
      const inUnit = (v: number) => Math.fround(Math.min(1, Math.max(0, v)));
      const image = (value: (y: number, x: number, c: number) => number): Pixels =>
        Array.from({ length: 14 }, (_, y) =>
          Array.from({ length: 15 }, (_, x) => [0, 1, 2].map((c) => inUnit(value(y, x, c)))),
        );
      const a = image(() => level + contrast * next());
      const b = image((y, x, c) => a[y][x][c] + shift + difference * contrast * (next() - 0.5));
      return { a, b, contrast };
    });

const settings: readonly Settings[] = [
  { channels: 'rgb' },
  { channels: 'luma' },
  { channels: 'rgb', window: 'uniform' },
];

describe.each(ssimPaths)('$name', ({ backend, ssimOf }) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each([
    [150, 240, 0.898885],
    [210, 225, 0.997625],
  ])('constants %i and %i have the SSIM that their formula gives', async (p, q, rounded) => {
    const [c, d] = [p / 255, q / 255];
    const expected = (2 * c * d + 1e-4) / (c * c + d * d + 1e-4);
    expect(expected).toBeCloseTo(rounded, 5);
    const [a, b] = [constantPixels(176, 176, p), constantPixels(176, 176, q)];
    for (const channels of ['luma', 'rgb'] as const) {
      expect(Math.abs((await ssim(a, b, { channels })) - expected)).toBeLessThan(1e-7);
      const luminance = expected ** (0.1333 / 1.0001);
      expect(Math.abs((await msSsim(a, b, { channels })) - luminance)).toBeLessThan(1e-7);
      const [x, y] = [p, q].map((level) => tf.fill([44, 40, 3], level / 255) as tf.Tensor3D);
      const value = ssimOf(x, y, { channels });
      expect(Math.abs(value.dataSync()[0] - expected)).toBeLessThan(1e-6);
      tf.dispose([x, y, value]);
    }
  });

  it.each(settings)('ssimOfTensors with %o is within 1e-6 of double precision', (given) => {
    fc.assert(
      fc.property(anyPair([0, 1e-4, 1e-2, 1]), fc.constantFrom(1, 0.1, 1e-2), ({ a, b }, dataRange) => {
        const found = tf.tidy(() => ssimOf(tensorOf(a), tensorOf(b), { ...given, dataRange }).dataSync()[0]);
        expect(Math.abs(found - byLoops(a, b, { ...given, dataRange }))).toBeLessThan(1e-6);
        expect(found).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it.each(settings)('the gradient of ssimOfTensors with %o is that of double precision', (given) => {
    fc.assert(
      fc.property(anyPair([1e-3, 1e-2, 1]), fc.constantFrom(1, 1e-2), ({ a, b, contrast }, dataRange) => {
        const options = { ...given, dataRange };
        const [value, ...gradients] = tf.tidy(() => {
          const both = tf.valueAndGrads((x, y) => ssimOf(x as tf.Tensor3D, y as tf.Tensor3D, options));
          const { value, grads } = both([tensorOf(a), tensorOf(b)]);
          return [value, ...grads].map((x) => Array.from(x.dataSync()));
        });
        expect(Math.abs(value[0] - byLoops(a, b, options))).toBeLessThan(1e-6);
        // Central differences in double precision, at some pixels of each image.
        const h = 1e-4 * Math.min(contrast, dataRange);
        [a, b].forEach((image, which) => {
          const length = Math.hypot(...gradients[which]);
          for (const [y, x, c] of [
            [0, 0, 0],
            [5, 6, 1],
            [7, 7, 2],
            [13, 9, 0],
          ]) {
            const moved = (by: number) => {
              const other = image.map((row, i) =>
                row.map((pixel, j) => pixel.map((v, k) => (i === y && j === x && k === c ? v + by : v))),
              );
              return which === 0 ? byLoops(other, b, options) : byLoops(a, other, options);
            };
            const numeric = (moved(h) - moved(-h)) / (2 * h);
            const analytic = gradients[which][(y * 15 + x) * 3 + c];
            expect(Math.abs(analytic - numeric)).toBeLessThanOrEqual(2e-5 * length + 1e-6);
          }
        });
      }),
      { numRuns: 8, seed: 2 },
    );
  });

  it('equal images have exactly 1, and a gradient of exactly 0', async () => {
    await fc.assert(
      fc.asyncProperty(anyPair([0, 1e-4, 1]), fc.constantFrom(1, 1e-3), async ({ a }, dataRange) => {
        for (const channels of ['luma', 'rgb'] as const) {
          const input = { ...pixelArray(a) };
          expect(await ssim(input, input, { channels, dataRange })).toBe(1);
          expect(await msSsim(input, input, { channels, dataRange, scales: 1 })).toBe(1);
          tf.tidy(() => {
            const x = tensorOf(a);
            expect(ssimOf(x, x, { channels, dataRange }).dataSync()[0]).toBe(1);
            const gradient = tf.grad((y) => ssimOf(x, y as tf.Tensor3D, { channels, dataRange }))(
              tf.clone(x),
            );
            expect(gradient.dataSync().every((v) => v === 0)).toBe(true);
          });
        }
      }),
      { numRuns: 10, seed: 3 },
    );
  });
});

it('ssimOfTensors runs no operation of tfjs for its windows where tensors lie in host memory', async () => {
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    const image = tf.ones<tf.Rank.R3>([16, 16, 3]);
    const { kernelNames, result } = await tf.profile(() =>
      tf.grad((x) => ssimOfTensors(x as tf.Tensor3D, image))(image),
    );
    tf.dispose(result as tf.Tensor);
    for (const name of kernelNames) expect(['Conv2D', 'Slice', 'Concat']).not.toContain(name);
    image.dispose();
  }
});

const pixelArray = (pixels: Pixels): PixelArray => ({
  data: Float32Array.from(pixels.flat(2)),
  width: pixels[0].length,
  height: pixels.length,
  channels: 3,
});

describe('ssim of pixels', () => {
  beforeAll(async () => {
    await tf.setBackend('wasm');
  });

  it('is that of double precision, whatever the contrast and the data range', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyPair([0, 1e-5, 1e-2, 1]),
        fc.constantFrom(1, 1e-2, 1e-4),
        async ({ a, b }, dataRange) => {
          for (const window of ['gaussian', 'uniform'] as const) {
            const given = { channels: 'rgb', window, dataRange } as const;
            const found = await ssim(pixelArray(a), pixelArray(b), given);
            expect(Math.abs(found - byLoops(a, b, given))).toBeLessThan(1e-9);
            expect(found).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 60, seed: 4 },
    );
  });
});
