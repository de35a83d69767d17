import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ColorMethod, colorMethods, transferColor } from '../../src/color';
import type { PixelArray } from '../../src/image/pixel-array';
import { expectNoLeak } from '../../src/testing';
import { anyPixels, constantPixels, noisePixels, pixelsOf } from '../support/pixels';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const check = <T extends unknown[]>(property: fc.IAsyncProperty<T>) =>
  fc.assert(property, { numRuns: 25, seed: 1 });

type Pixels = Required<PixelArray>;

/** The result's values; the tensor is freed. */
async function moved(image: Pixels, reference: Pixels, method: ColorMethod): Promise<Float32Array> {
  const result = await expectNoLeak(() => transferColor(image, reference, { method }));
  expect(result.shape).toEqual([image.height, image.width, 3]);
  const values = (await result.data()) as Float32Array;
  result.dispose();
  return values;
}

const asPixels = (data: Float32Array, { width, height }: Pixels): Pixels => ({
  data,
  width,
  height,
  channels: 3,
});

const unit = ({ data }: Pixels) => Float32Array.from(data, (level) => level / 255);

const greatestDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((greatest, value, i) => Math.max(greatest, Math.abs(value - b[i])), 0);

/** Noise around a colour, by less than `reach` levels: little enough that nothing is clipped. */
const around = (colour: readonly number[], reach: number, seed: number, [width, height] = [12, 10]) => {
  const noise = noisePixels(width, height, seed).data;
  return pixelsOf(width, height, (x, y, c) => {
    const share = noise[(y * width + x) * 3 + c] / 255 - 0.5;
    // Channels go together in part, as in pictures.
    const common = noise[(y * width + x) * 3] / 255 - 0.5;
    return Math.round(colour[c] + reach * (share + common));
  });
};

const middle = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 100, max: 150 })));
const gentle = fc
  .tuple(middle, fc.integer({ min: 24, max: 50 }), fc.nat())
  .map(([colour, reach, seed]) => around(colour, reach, seed));

/** Mean and covariance of RGB, plainly. */
function momentsOf(values: Float32Array) {
  const count = values.length / 3;
  const mean = [0, 1, 2].map((c) => values.reduce((sum, v, i) => sum + (i % 3 === c ? v : 0), 0) / count);
  const covariance = [0, 1, 2].map((a) =>
    [0, 1, 2].map((b) => {
      let sum = 0;
      for (let i = 0; i < values.length; i += 3) sum += (values[i + a] - mean[a]) * (values[i + b] - mean[b]);
      return sum / count;
    }),
  );
  return { mean, covariance };
}

describe.each(colorMethods)('%s', (method) => {
  it('gives values in [0,1] of any two images, also with outliers', async () => {
    const outlier = fc
      .tuple(fc.nat(255), fc.nat(255))
      .map(([level, other]) => pixelsOf(40, 40, (x, y) => (x === 3 && y === 5 ? other : level)));
    const any = fc.oneof(anyPixels(5, 4), outlier, gentle);
    await check(
      fc.asyncProperty(any, any, async (image, reference) => {
        // One expectation for thousands of values, of which a NaN is none either.
        expect(
          (await moved(image, reference, method)).filter((value) => !(value >= 0 && value <= 1)),
        ).toEqual(new Float32Array());
      }),
    );
  });

  it('changes nothing where image and reference are equal', async () => {
    await check(
      fc.asyncProperty(anyPixels(6, 5), async (image) => {
        const values = await moved(image, image, method);
        expect(greatestDifference(values, unit(image))).toBeLessThan(2e-5);
      }),
    );
  });

  it('does not move colours a second time', async () => {
    // The slices of a histogram converge, but do not end, in 33 frames.
    const tolerance = method === 'histogram' ? 0.05 : 1e-4;
    await check(
      fc.asyncProperty(gentle, gentle, async (image, reference) => {
        const once = await moved(image, reference, method);
        const twice = await moved(asPixels(once, image), reference, method);
        const square = once.reduce((sum, value, i) => sum + (value - twice[i]) ** 2, 0);
        expect(Math.sqrt(square / once.length)).toBeLessThan(tolerance);
      }),
    );
  });

  it('leaves its arguments alone', async () => {
    const image = tf.fill([4, 3, 3], 0.25) as tf.Tensor3D;
    const reference = tf.fill([4, 3, 3], 0.75) as tf.Tensor3D;
    const result = await expectNoLeak(() => transferColor(image, reference, { method }));
    expect((await image.data())[0]).toBe(0.25);
    expect((await reference.data())[0]).toBe(0.75);
    tf.dispose([image, reference, result]);
  });

  it('ends when aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const before = tf.memory().numTensors;
    const run = transferColor(noisePixels(8, 8, 1), noisePixels(8, 8, 2), { method, signal });
    await expect(run).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe.each(['mean', 'covariance', 'histogram'] as const)('%s', (method) => {
  it('takes the only colour of a flat reference', async () => {
    // Not to the last digit: directions that vary less than 8 bits show keep what they have.
    const values = await moved(around([120, 90, 140], 40, 3), constantPixels(3, 2, 51), method);
    expect(greatestDifference(values, new Float32Array(values.length).fill(0.2))).toBeLessThan(1 / 255);
  });

  it('gives a flat image one colour', async () => {
    const values = await moved(constantPixels(4, 4, 200), noisePixels(9, 9, 1), method);
    const first = [...values.slice(0, 3)];
    for (let i = 0; i < values.length; i += 3) expect([...values.slice(i, i + 3)]).toEqual(first);
  });

  it('gives equal colours equal colours', async () => {
    const levels = noisePixels(2, 8, 5).data;
    const image = pixelsOf(8, 8, (x, y, c) => levels[(y * 2 + (x & 1)) * 3 + c]);
    const values = await moved(image, noisePixels(7, 9, 2), method);
    for (let i = 0; i < 64; i++) {
      const twin = (i & ~7) | (i & 1);
      expect([...values.slice(3 * i, 3 * i + 3)]).toEqual([...values.slice(3 * twin, 3 * twin + 3)]);
    }
  });
});

describe('covariance', () => {
  it('gives mean and covariance of the reference', async () => {
    await check(
      fc.asyncProperty(gentle, gentle, async (image, reference) => {
        const found = momentsOf(await moved(image, reference, 'covariance'));
        const wanted = momentsOf(unit(reference));
        for (const a of [0, 1, 2]) {
          expect(found.mean[a]).toBeCloseTo(wanted.mean[a], 6);
          for (const b of [0, 1, 2]) expect(found.covariance[a][b]).toBeCloseTo(wanted.covariance[a][b], 6);
        }
      }),
    );
  });

  it('gives a grey image mean and deviation of the reference along grey, and no noise in its chroma', async () => {
    const levels = noisePixels(10, 10, 4).data;
    const grey = pixelsOf(10, 10, (x, y) => 100 + (levels[y * 10 + x] >> 3));
    const reference = around([110, 130, 150], 40, 8);
    const values = await moved(grey, reference, 'covariance');
    const wanted = momentsOf(unit(reference));
    const sumOf = (values: Float32Array) =>
      Float32Array.from(values, (_, i) => {
        const at = i - (i % 3);
        return (values[at] + values[at + 1] + values[at + 2]) / 3;
      });
    const [own, theirs] = [momentsOf(sumOf(values)), momentsOf(sumOf(unit(reference)))];
    expect(own.covariance[0][0]).toBeCloseTo(theirs.covariance[0][0], 6);
    for (let i = 0; i < values.length; i += 3) {
      expect(values[i] - values[i + 1]).toBeCloseTo(wanted.mean[0] - wanted.mean[1], 5);
      expect(values[i] - values[i + 2]).toBeCloseTo(wanted.mean[0] - wanted.mean[2], 5);
    }
  });
});

describe('histogram', () => {
  it('gives each channel the values of the reference, where sizes are equal and values differ', async () => {
    // 79 generates the numbers below the prime 191.
    const data = Float32Array.from({ length: 189 }, (_, i) => 0.2 + (0.6 * ((79 * (i + 1)) % 191)) / 191);
    const reference = asPixels(data, { ...noisePixels(9, 7, 1) });
    const values = await moved(around([128, 128, 128], 90, 1, [9, 7]), reference, 'histogram');
    for (const c of [0, 1, 2]) {
      const channel = (all: Float32Array) => all.filter((_, i) => i % 3 === c).sort();
      expect(greatestDifference(channel(values), channel(data))).toBeLessThan(1e-6);
    }
  });

  it('takes quantiles of a large image from a sample of all of it', async () => {
    const image = pixelsOf(400, 300, (x, y, c) => (c === 0 ? (255 * x) / 399 : (255 * y) / 299));
    const reference = pixelsOf(400, 300, (x, y, c) => 60 + (c === 0 ? (100 * x) / 399 : (130 * y) / 299));
    const values = await moved(image, reference, 'histogram');
    expect(greatestDifference(values, unit(reference))).toBeLessThan(3 / 255);
  });
});

/** Of each channel of l-alpha-beta, by the paper's matrices, mean and deviation. */
function logMoments(values: Float32Array) {
  const light = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const colors = Array.from({ length: values.length / 3 }, (_, i) => {
    const [r, g, b] = [...values.slice(3 * i, 3 * i + 3)].map(light);
    const [l, m, s] = [
      0.3811 * r + 0.5783 * g + 0.0402 * b,
      0.1967 * r + 0.7244 * g + 0.0782 * b,
      0.0241 * r + 0.1288 * g + 0.8444 * b,
    ].map((response) => Math.log10(response + 1 / 255 / 12.92));
    return [(l + m + s) / Math.sqrt(3), (l + m - 2 * s) / Math.sqrt(6), (l - m) / Math.SQRT2];
  });
  return [0, 1, 2].flatMap((c) => {
    const mean = colors.reduce((sum, color) => sum + color[c], 0) / colors.length;
    const square = colors.reduce((sum, color) => sum + (color[c] - mean) ** 2, 0) / colors.length;
    return [mean, Math.sqrt(square)];
  });
}

describe('mean', () => {
  it('gives mean and deviation of the reference in l-alpha-beta', async () => {
    await check(
      fc.asyncProperty(gentle, gentle, async (image, reference) => {
        const found = logMoments(await moved(image, reference, 'mean'));
        for (const [i, wanted] of logMoments(unit(reference)).entries())
          expect(found[i]).toBeCloseTo(wanted, 5);
      }),
    );
  });

  it('makes a darker copy of an image as light as the image', async () => {
    // Halved light shifts all logarithms alike, but for the offset of black.
    const image = around([150, 150, 150], 60, 2);
    const light = (level: number) => (level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4);
    const level = (value: number) => 1.055 * value ** (1 / 2.4) - 0.055;
    const half = asPixels(
      unit(image).map((value) => level(light(value) / 2)),
      image,
    );
    expect(greatestDifference(await moved(half, image, 'mean'), unit(image))).toBeLessThan(2e-3);
  });
});

describe('luminance', () => {
  const luminance = (values: Float32Array, at: number) => {
    const [r, g, b] = [...values.slice(at, at + 3)].map((v) =>
      v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  it('keeps the luminance of any image under any chroma', async () => {
    await check(
      fc.asyncProperty(anyPixels(5, 4), anyPixels(5, 4), async (image, reference) => {
        const values = await moved(image, reference, 'luminance');
        for (let i = 0; i < values.length; i += 3)
          expect(luminance(values, i)).toBeCloseTo(luminance(unit(image), i), 5);
      }),
    );
  });

  it('gives grey for a grey reference, black for black and white for white', async () => {
    const grey = await moved(noisePixels(4, 4, 1), constantPixels(4, 4, 77), 'luminance');
    for (let i = 0; i < grey.length; i += 3) {
      expect(grey[i]).toBeCloseTo(grey[i + 1], 4);
      expect(grey[i]).toBeCloseTo(grey[i + 2], 4);
    }
    for (const level of [0, 255]) {
      const values = await moved(constantPixels(4, 4, level), noisePixels(4, 4, 2), 'luminance');
      expect(greatestDifference(values, new Float32Array(48).fill(level / 255))).toBeLessThan(1e-6);
    }
  });

  it('resizes the reference', async () => {
    const values = await moved(constantPixels(4, 2, 128), noisePixels(9, 9, 2), 'luminance');
    expect(values).toHaveLength(24);
  });

  it('computes images of several bands of rows as one', async () => {
    const image = pixelsOf(1, 300_000, (_, y, c) => (y * (7 + c)) % 256);
    const values = await moved(image, image, 'luminance');
    expect(greatestDifference(values, unit(image))).toBeLessThan(2e-5);
  });
});

describe('wrong arguments', () => {
  const image = noisePixels(3, 3, 1);

  it('are refused before any work, with what is accepted', async () => {
    const method = 'histogramm' as ColorMethod;
    await expect(transferColor(image, image, { method })).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
      option: 'method',
      accepted: colorMethods,
    });
    await expect(transferColor(image, image, { methods: 'mean' } as object)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
    await expect(transferColor(image, 'photo.jpg' as never)).rejects.toMatchObject({
      code: 'NOT_AN_IMAGE',
      option: 'reference',
    });
  });
});
