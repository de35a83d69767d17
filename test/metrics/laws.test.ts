import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PixelArray } from '../../src/image/pixel-array';
import { cosineSimilarity, greyEntropies, mutualInformation, psnr, ssim } from '../../src/metrics';
import { anyPixels, pixelsOf } from '../support/pixels';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const check = <T extends unknown[]>(property: fc.IAsyncProperty<T>) =>
  fc.assert(property, { numRuns: 25, seed: 1 });

/** A grey image of these levels. */
const greyPixels = (width: number, height: number, levels: ArrayLike<number>) =>
  pixelsOf(width, height, (x, y) => levels[y * width + x]);
const anyLevels = fc.uint8Array({ minLength: 64, maxLength: 64 });
const fewLevels = fc.array(fc.constantFrom(10, 20, 30, 40), { minLength: 64, maxLength: 64 });

/** Turned by 180 degrees. */
const turned = ({ data, width, height }: Required<PixelArray>) =>
  pixelsOf(width, height, (x, y, c) => data[((height - 1 - y) * width + width - 1 - x) * 3 + c]);

describe('mutual information', () => {
  it('does not change when the grey levels of an image are renamed one to one', async () => {
    const bijection = fc.shuffledSubarray(
      Array.from({ length: 256 }, (_, i) => i),
      { minLength: 256, maxLength: 256 },
    );
    await check(
      fc.asyncProperty(anyLevels, anyLevels, bijection, async (a, b, rename) => {
        const [first, second] = [greyPixels(8, 8, a), greyPixels(8, 8, b)];
        const renamed = greyPixels(
          8,
          8,
          a.map((level) => rename[level]),
        );
        for (const normalization of ['none', 'geometric', 'arithmetic'] as const) {
          const before = await mutualInformation(first, second, { normalization });
          expect(await mutualInformation(renamed, second, { normalization })).toBeCloseTo(before, 9);
        }
      }),
    );
  });

  it('does not change when the pixels of both images are moved alike', async () => {
    await check(
      fc.asyncProperty(anyPixels(8, 6), anyPixels(8, 6), async (a, b) => {
        expect(await mutualInformation(turned(a), turned(b))).toBeCloseTo(await mutualInformation(a, b), 9);
      }),
    );
  });

  it('of an image with itself is its entropy, and with any other image at most the smaller entropy', async () => {
    await check(
      fc.asyncProperty(fewLevels, anyLevels, async (a, b) => {
        const [first, second] = [greyPixels(8, 8, a), greyPixels(8, 8, b)];
        const entropies = await greyEntropies(first, second);
        expect(await mutualInformation(first, first)).toBeCloseTo(entropies.a, 9);
        const bits = await mutualInformation(first, second);
        expect(bits).toBeLessThanOrEqual(Math.min(entropies.a, entropies.b) + 1e-9);
        expect(entropies.joint).toBeGreaterThanOrEqual(Math.max(entropies.a, entropies.b) - 1e-9);
      }),
    );
  });

  it('does not grow when levels are put together in fewer bins', async () => {
    await check(
      fc.asyncProperty(anyLevels, anyLevels, async (a, b) => {
        const [first, second] = [greyPixels(8, 8, a), greyPixels(8, 8, b)];
        const bits = await Promise.all(
          [256, 64, 16, 1].map((bins) => mutualInformation(first, second, { bins })),
        );
        for (let i = 1; i < bits.length; i++) expect(bits[i]).toBeLessThanOrEqual(bits[i - 1] + 1e-9);
        expect(bits[3]).toBe(0);
      }),
    );
  });
});

describe('cosine similarity', () => {
  it('does not change with the brightness of an image', async () => {
    await check(
      fc.asyncProperty(
        anyPixels(5, 4),
        anyPixels(5, 4),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        async (a, b, factor) => {
          const data = Float32Array.from(a.data, (level) => (level / 255) * factor);
          const dimmed: PixelArray = { ...a, data };
          expect(await cosineSimilarity(dimmed, b)).toBeCloseTo(await cosineSimilarity(a, b), 5);
        },
      ),
    );
  });

  it('of images without a common colour is 0', async () => {
    await check(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 255 }),
        async (red, blue) => {
          const a = pixelsOf(4, 4, (_x, _y, c) => (c === 0 ? red : 0));
          const b = pixelsOf(4, 4, (_x, _y, c) => (c === 2 ? blue : 0));
          expect(await cosineSimilarity(a, b)).toBe(0);
        },
      ),
    );
  });
});

describe('ssim', () => {
  it('does not change when both images are turned alike', async () => {
    await check(
      fc.asyncProperty(anyPixels(14, 13), anyPixels(14, 13), async (a, b) => {
        expect(await ssim(turned(a), turned(b))).toBeCloseTo(await ssim(a, b), 5);
      }),
    );
  });
});

describe('psnr', () => {
  it('falls by 20 log10(k) when the difference grows k times', async () => {
    await check(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 2, max: 4 }),
        async (difference, k) => {
          const base = pixelsOf(5, 5, () => 0);
          const [near, far] = [difference, difference * k].map((level) => pixelsOf(5, 5, () => level));
          const fall = (await psnr(base, near)) - (await psnr(base, far));
          expect(fall).toBeCloseTo(20 * Math.log10(k), 4);
        },
      ),
    );
  });
});
