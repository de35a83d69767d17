import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ssim as independentSsim } from 'ssim.js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PixelArray } from '../../src/image/pixel-array';
import { ssim } from '../../src/metrics';
import { constantPixels, noisePixels, pixelsOf } from '../support/pixels';
import { referenceImage } from '../support/reference-image';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/**
 * ssim.js takes RGBA; its program is a port of the authors'. Its own grey is truncated in places, so it gets grey
 * images.
 */
async function bySsimJs(a: PixelArray, b: PixelArray): Promise<number> {
  const rgba = ({ data, width, height }: PixelArray) => ({
    width,
    height,
    data: Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? 255 : data[Math.floor(i / 4) * 3 + (i % 4)],
    ),
  });
  const options = { ssim: 'original', downsample: false, rgb2grayVersion: 'original' } as const;
  return independentSsim(rgba(a), rgba(b), options).mssim;
}

/** The green channel of each pixel three times. */
const grey = ({ data, width, height }: PixelArray) =>
  pixelsOf(width, height, (x, y) => data[(y * width + x) * 3 + 1]);

describe('ssim', () => {
  it('agrees with ssim.js', async () => {
    const [content, image] = [
      await referenceImage('content-96x64.png'),
      await referenceImage('image-96x64.png'),
    ];
    const pairs: [PixelArray, PixelArray][] = [
      [content, image],
      [content, await referenceImage('content-flipped-96x64.png')],
      [noisePixels(30, 23, 1), noisePixels(30, 23, 2)],
    ];
    for (const [a, b] of pairs) {
      expect(await ssim(grey(a), grey(b))).toBeCloseTo(await bySsimJs(grey(a), grey(b)), 5);
    }
  });

  it('of two constant images is their luminance factor', async () => {
    // (2pq + C1) / (p^2 + q^2 + C1) with p = 0.2, q = 0.8, C1 = 1e-4: 0.3201 / 0.6801.
    expect(await ssim(constantPixels(12, 12, 51), constantPixels(12, 12, 204))).toBeCloseTo(
      0.3201 / 0.6801,
      5,
    );
  });

  it('of an image and its negative is below zero', async () => {
    const image = noisePixels(24, 24, 3);
    const negative = { ...image, data: image.data.map((level) => 255 - level) };
    expect(await ssim(image, negative)).toBeLessThan(-0.9);
  });

  it('does not see colour in the grey, and does in the channels', async () => {
    const [red, blue] = [
      pixelsOf(16, 16, (_x, _y, c) => (c === 0 ? 114 : 0)),
      pixelsOf(16, 16, (_x, _y, c) => (c === 2 ? 255 : 0)),
    ];
    // round(0.299 * 114) = 34 and round(0.114 * 255) = 29.
    expect(await ssim(red, blue)).toBeCloseTo((2 * 34 * 29 + 6.5025) / (34 ** 2 + 29 ** 2 + 6.5025), 5);
    expect(await ssim(red, blue, { channels: 'rgb' })).toBeLessThan(0.35);
  });

  it('returns the map of which the value is the mean', async () => {
    const [a, b] = [noisePixels(20, 15, 1), noisePixels(20, 15, 2)];
    for (const channels of ['luma', 'rgb'] as const) {
      const { value, map } = await ssim(a, b, { map: true, channels });
      expect(map.shape).toEqual([5, 10]);
      const values = Array.from(await map.data());
      expect(values.reduce((sum, v) => sum + v, 0) / values.length).toBeCloseTo(value, 5);
      expect(value).toBeCloseTo(await ssim(a, b, { channels }), 6);
      map.dispose();
    }
  });

  it('maps a local difference to where it is', async () => {
    const image = noisePixels(40, 20, 4);
    const changed = pixelsOf(40, 20, (x, y, c) => (x < 10 ? 0 : image.data[(y * 40 + x) * 3 + c]));
    const { map } = await ssim(image, changed, { map: true });
    const row = (await map.array())[5];
    expect(row[0]).toBeLessThan(0.1);
    expect(row[29]).toBeCloseTo(1, 5);
    map.dispose();
  });

  it('depends on the data range through its constants', async () => {
    const [a, b] = [constantPixels(11, 11, 0), constantPixels(11, 11, 255)];
    // p = 0, q = 1: C1 / (1 + C1), C1 = (0.01 * 10)^2.
    expect(await ssim(a, b, { dataRange: 10 })).toBeCloseTo(0.01 / 1.01, 6);
  });

  it('refuses options out of range, naming what is accepted', async () => {
    const image = noisePixels(11, 11, 1);
    await expect(ssim(image, image, { channels: 'lumma' as 'luma' })).rejects.toThrow(/did you mean 'luma'/);
    await expect(ssim(image, image, { dataRange: 0 })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      option: 'dataRange',
    });
    await expect(ssim(image, image, { window: 'box' as 'uniform' })).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
      option: 'window',
    });
  });
});
