import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { greyEntropies, mutualInformation } from '../../src/metrics';
import { greyLevels } from '../../src/metrics/grey';
import { constantPixels, noisePixels, pixelsOf } from '../support/pixels';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const stripes = pixelsOf(4, 4, (x) => (x % 2) * 255);
const rows = pixelsOf(4, 4, (_x, y) => (y % 2) * 255);

describe('mutualInformation', () => {
  it('of independent stripes is 0 and of equal ones 1 bit', async () => {
    // Half of the pixels are black: H = 1 bit; crossed stripes have four equally frequent pairs: H(A,B) = 2 bits.
    expect(await greyEntropies(stripes, rows)).toEqual({ a: 1, b: 1, joint: 2 });
    expect(await mutualInformation(stripes, rows)).toBe(0);
    expect(await mutualInformation(stripes, stripes)).toBe(1);
  });

  it('is divided by the geometric or the arithmetic mean of the entropies', async () => {
    // A has levels 0,0,1,1 (1 bit), B 0,1,2,3 (2 bits) in each row; B tells A: I = 1 bit.
    const a = pixelsOf(4, 4, (x) => Math.floor(x / 2) * 100);
    const b = pixelsOf(4, 4, (x) => x * 60);
    expect(await mutualInformation(a, b)).toBeCloseTo(1, 12);
    expect(await mutualInformation(a, b, { normalization: 'geometric' })).toBeCloseTo(1 / Math.SQRT2, 12);
    expect(await mutualInformation(a, b, { normalization: 'arithmetic' })).toBeCloseTo(2 / 3, 12);
  });

  it('of constant images is 0 bits; normalised, 1 for two of them and 0 for one', async () => {
    const [black, white] = [constantPixels(4, 4, 0), constantPixels(4, 4, 255)];
    for (const normalization of ['geometric', 'arithmetic'] as const) {
      expect(await mutualInformation(black, white, { normalization })).toBe(1);
      expect(await mutualInformation(black, stripes, { normalization })).toBe(0);
    }
    expect(await mutualInformation(black, white)).toBe(0);
    expect(await mutualInformation(black, stripes)).toBe(0);
  });

  it('puts 256 levels into equal bins', async () => {
    const [low, high] = [pixelsOf(2, 1, (x) => 126 + x), pixelsOf(2, 1, (x) => 127 + x)];
    expect((await greyEntropies(low, high, { bins: 2 })).a).toBe(0);
    expect((await greyEntropies(low, high, { bins: 2 })).b).toBe(1);
  });

  it('refuses bins and normalisations that there are not', async () => {
    const image = noisePixels(4, 4, 1);
    for (const bins of [0, 257, 2.5, Number.NaN]) {
      await expect(mutualInformation(image, image, { bins })).rejects.toMatchObject({
        code: 'OUT_OF_RANGE',
        option: 'bins',
      });
    }
    await expect(
      mutualInformation(image, image, { normalization: 'geometrical' as 'geometric' }),
    ).rejects.toThrow(/'geometric'/);
  });
});

describe('greyLevels', () => {
  const levelOf = (red: number, green: number, blue: number) =>
    greyLevels([red / 255, green / 255, blue / 255])[0];

  it('is round(0.299 R + 0.587 G + 0.114 B)', () => {
    expect(levelOf(255, 255, 255)).toBe(255);
    expect(levelOf(255, 0, 0)).toBe(76); // 76.245
    expect(levelOf(0, 255, 0)).toBe(150); // 149.685
    expect(levelOf(0, 0, 255)).toBe(29); // 29.07
  });

  it('rounds halves to even, as NumPy', () => {
    expect(levelOf(204, 168, 192)).toBe(182); // 181.5
    expect(levelOf(199, 143, 97)).toBe(154); // 154.5
  });

  it('rounds as a chain of fused multiply-adds does where the last bit decides', () => {
    expect(levelOf(178, 94, 150)).toBe(125); // 125.5, and 125.49999999999999 with one rounding for each multiply-add
  });

  it('clips what is outside of [0,1]', () => {
    expect([...greyLevels([-1, -1, -1, 2, 2, 2])]).toEqual([0, 255]);
  });
});
