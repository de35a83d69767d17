import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PixelArray } from '../../src/image/pixel-array';
import { cosineSimilarity, greyEntropies, mutualInformation, psnr, ssim } from '../../src/metrics';
import reference from '../reference/metrics.json';
import { referenceImage } from '../support/reference-image';

const content = 'content-96x64.png';
const image = 'image-96x64.png';
const pairs: Record<keyof typeof reference.pairs, () => Promise<PixelArray[]>> = {
  content_vs_image: () => Promise.all([referenceImage(content), referenceImage(image)]),
  content_vs_flipped: () =>
    Promise.all([referenceImage(content), referenceImage('content-flipped-96x64.png')]),
  content_vs_content: () => Promise.all([referenceImage(content), referenceImage(content)]),
  image_vs_style_cropped64: () =>
    Promise.all([referenceImage(image, 64), referenceImage('style-80x72.png', 64)]),
};

describe.each(['cpu', 'wasm'])('on %s, the numbers of scikit-image and NumPy', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each(Object.keys(pairs) as (keyof typeof pairs)[])('%s', async (name) => {
    const [a, b] = await pairs[name]();
    const expected = reference.pairs[name];
    const near = (value: number, number: number) => expect(Math.abs(value - number)).toBeLessThan(1e-4);
    near(await ssim(a, b, { channels: 'rgb' }), expected.ssim_gaussian_rgb);
    near(await ssim(a, b, { channels: 'rgb', window: 'uniform' }), expected.ssim_uniform7_rgb);
    near(await ssim(a, b), expected.ssim_gaussian_grey);
    near(await cosineSimilarity(a, b), expected.cosine);
    const decibels = await psnr(a, b);
    if (expected.psnr === null) expect(decibels).toBe(Number.POSITIVE_INFINITY);
    else near(decibels, expected.psnr);
    near(10 ** (-decibels / 10), expected.mse);
    for (const [bins, numbers] of [
      [256, expected.grey_mi_256],
      [64, expected.grey_mi_64],
    ] as const) {
      const entropies = await greyEntropies(a, b, { bins });
      near(entropies.a, numbers.HA);
      near(entropies.b, numbers.HB);
      near(entropies.joint, numbers.HAB);
      near((entropies.a + entropies.b) / entropies.joint, numbers.nmi_studholme);
      near(await mutualInformation(a, b, { bins }), numbers.mi_bits);
      near(await mutualInformation(a, b, { bins, normalization: 'arithmetic' }), numbers.nmi_arithmetic);
      const geometric = numbers.mi_bits / Math.sqrt(numbers.HA * numbers.HB);
      near(await mutualInformation(a, b, { bins, normalization: 'geometric' }), geometric);
    }
  });
});
