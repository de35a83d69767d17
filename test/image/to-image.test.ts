import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { toImage, toImageData } from '../../src/image';
import { type SizeRule, sizeAfter } from '../../src/image/size-rule';
import { imageReader } from '../../src/image/to-image';
import { expectNoLeak } from '../../src/testing';
import '../support/backends';
import '../support/to-be-allclose';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('toImage', () => {
  it('takes 8-bit RGB', async () => {
    const image = await toImage({
      data: new Uint8Array([0, 51, 255, 255, 255, 255]),
      width: 2,
      height: 1,
      channels: 3,
    });
    expect(image.shape).toEqual([1, 2, 3]);
    expect(image).toBeAllclose([0, 0.2, 1, 1, 1, 1]);
  });

  it('makes grey three equal colours, and takes 16 bits', async () => {
    const image = await toImage({ data: new Uint16Array([65535, 13107]), width: 1, height: 2, channels: 1 });
    expect(image).toBeAllclose([1, 1, 1, 0.2, 0.2, 0.2]);
  });

  it('lays transparent pixels on white', async () => {
    const rgba = await toImage({ data: new Uint8ClampedArray([255, 0, 0, 51]), width: 1, height: 1 });
    expect(rgba).toBeAllclose([1, 0.8, 0.8]);
    const greyAlpha = await toImage({ data: new Uint8Array([0, 0]), width: 1, height: 1, channels: 2 });
    expect(greyAlpha).toBeAllclose([1, 1, 1]);
  });

  it('takes arrays of another realm', async () => {
    for (const [values, expected] of [
      ['Uint8Array.of(255, 0, 51)', [1, 0, 0.2]],
      ['Uint8ClampedArray.of(255, 0, 51)', [1, 0, 0.2]],
      ['Uint16Array.of(65535, 0, 13107)', [1, 0, 0.2]],
      ['Float32Array.of(1, 0, 0.5)', [1, 0, 0.5]],
    ] as const) {
      const data = runInNewContext(values) as Uint8Array;
      expect(data).not.toBeInstanceOf(Object);
      expect(await toImage({ data, width: 1, height: 1, channels: 3 })).toBeAllclose(expected);
    }
    const data = runInNewContext('Float32Array.of(1, 0, 2)') as Float32Array;
    await expect(toImage({ data, width: 1, height: 1, channels: 3 })).rejects.toThrow(
      'holds 2 at position 2',
    );
  });

  it('copies a tensor, which stays the caller’s', async () => {
    const given = tf.fill([2, 3, 3], 0.5) as tf.Tensor3D;
    const image = await expectNoLeak(() => toImage(given));
    image.dispose();
    expect(given.isDisposed).toBe(false);
  });

  it('brings the longer side to a size and keeps the aspect ratio', async () => {
    const wide = await toImage(tf.fill([10, 30, 3], 0.25) as tf.Tensor3D, { size: 15 });
    expect(wide.shape).toEqual([5, 15, 3]);
    expect(wide).toBeAllclose(new Array(225).fill(0.25), { rtol: 1e-6 });
    const high = await toImage(tf.fill([30, 1, 3], 0.25) as tf.Tensor3D, { size: 60 });
    expect(high.shape).toEqual([60, 2, 3]);
  });

  it('filters when it makes smaller: fine stripes become grey, not black or white', async () => {
    const stripes = tf.tensor3d(
      Array.from({ length: 64 * 4 * 3 }, (_, i) => Math.floor(i / 3) % 2),
      [4, 64, 3],
    );
    const small = await toImage(stripes, { size: 16 });
    const values = Array.from(await small.data()).slice(6, -6);
    for (const value of values) expect(Math.abs(value - 0.5)).toBeLessThan(0.1);
  });

  it('keeps a smooth ramp a ramp', async () => {
    const ramp = tf.tensor3d(
      Array.from({ length: 40 * 3 }, (_, i) => Math.floor(i / 3) / 39),
      [1, 40, 3],
    );
    const half = Array.from(await (await toImage(ramp, { size: 20 })).data()).filter((_, i) => i % 3 === 0);
    // Each new pixel lies between two old ones.
    for (let i = 3; i < 17; i++) expect(half[i]).toBeCloseTo((2 * i + 0.5) / 39, 3);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['text', () => 'photo.jpg', /image is 'photo.jpg'; accepted: a tensor \[height, width, 3\]/],
    ['nothing', () => undefined, /image is undefined/],
    [
      'whole numbers, and says how to make an image of them',
      () => tf.zeros([1, 2, 3], 'int32'),
      /image is a tensor \[1,2,3\] of int32; accepted: a float32 tensor .* tf.div\(image, 255\)/,
    ],
    [
      'a tensor that has been disposed',
      () => {
        const image = tf.zeros([1, 2, 3]);
        image.dispose();
        return image;
      },
      /image is a tensor that has been disposed/,
    ],
    ['a grey tensor', () => tf.tensor([[1]]), /image is a tensor \[1,1\]/],
    [
      'an empty picture',
      () => ({ data: new Uint8Array(0), width: 0, height: 0, channels: 3 }),
      /image.width is 0; accepted: a whole number of at least 1/,
    ],
    [
      'data of the wrong length',
      () => ({ data: new Uint8Array(5), width: 1, height: 2, channels: 3 }),
      /of 5; accepted: .* 1 x 2 x 3 = 6 values/,
    ],
    [
      'a huge picture',
      () => ({ data: new Uint8Array(3), width: 100000, height: 100000, channels: 3 }),
      /100000x100000 = 10000000000 pixels; accepted: at most/,
    ],
    [
      'values of 0 to 255 as floats',
      () => ({ data: new Float32Array([0, 128, 255]), width: 1, height: 1, channels: 3 }),
      /holds 128 at position 1.*by 255 first/,
    ],
    [
      'NaN',
      () => tf.tensor3d([0, Number.NaN, 0], [1, 1, 3]),
      /image holds NaN at position 1; accepted: finite values in \[0,1\]/,
    ],
    [
      'an infinite value',
      () => tf.tensor3d([0, 0, Number.POSITIVE_INFINITY], [1, 1, 3]),
      /holds Infinity at position 2/,
    ],
    [
      'five channels',
      () => ({ data: new Uint8Array(5), width: 1, height: 1, channels: 5 }),
      /image.channels is 5/,
    ],
  ])('refuses %s', async (_, input, message) => {
    await expect(toImage(input() as never)).rejects.toThrow(message);
  });

  it('refuses a size that is none', async () => {
    await expect(toImage(tf.zeros([1, 1, 3]), { size: 0 })).rejects.toThrow(
      'size is 0; accepted: a whole number of at least 1',
    );
  });
});

describe('an opened image', () => {
  const pixels = { data: new Uint8Array(40 * 20 * 3).fill(51), width: 40, height: 20, channels: 3 } as const;

  it.each<[SizeRule | undefined, number[]]>([
    [undefined, [20, 40, 3]],
    [{ longerSide: 10 }, [5, 10, 3]],
    [{ shorterSide: 10 }, [10, 20, 3]],
    [{ atMost: 80 }, [20, 40, 3]],
    [{ atMost: 10 }, [5, 10, 3]],
    [{ width: 7, height: 9 }, [9, 7, 3]],
    [{ width: 7, height: 9, crop: true }, [9, 7, 3]],
  ])('tells its size, and is brought to %o', async (rule, shape) => {
    const opened = await imageReader.open('image', pixels);
    expect(opened).toMatchObject({ width: 40, height: 20 });
    const image = await opened.decode(rule);
    expect(image.shape).toEqual(shape);
    expect(sizeAfter(rule, 40, 20)).toEqual({ width: shape[1], height: shape[0] });
    expect(image).toBeAllclose(Array(shape[0] * shape[1] * 3).fill(0.2), { atol: 1e-6 });
  });

  it('is cut out of the middle with crop', async () => {
    // Black, white, black: thirds of the longer side.
    const thirds = tf.concat(
      [tf.zeros([2, 2, 3]), tf.ones([2, 2, 3]), tf.zeros([2, 2, 3])],
      1,
    ) as tf.Tensor3D;
    const image = await imageReader.decode('image', thirds, { width: 2, height: 2, crop: true });
    expect(image).toBeAllclose(Array(12).fill(1));
  });

  it('hears an abort while it is enlarged', async () => {
    const controller = new AbortController();
    const opened = await imageReader.open('image', pixels, controller.signal);
    const outcome = opened.decode({ longerSide: 8192 }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = performance.now();
    controller.abort(new Error('enough'));
    expect(await outcome).toEqual(new Error('enough'));
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('is refused before it is enlarged beyond 2^27 pixels', async () => {
    const opened = await imageReader.open('image', pixels);
    await expect(opened.decode({ longerSide: 100_000 })).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });
});

describe('toImageData', () => {
  it('rounds to 8 bits, clamps, and sets alpha', async () => {
    const { data, width, height } = await toImageData(tf.tensor3d([0, 0.5, 1, -1, 2, 0.2], [1, 2, 3]));
    expect([width, height]).toEqual([2, 1]);
    expect(Array.from(data)).toEqual([0, 128, 255, 255, 0, 255, 51, 255]);
  });

  it('is undone by toImage', async () => {
    const image = tf.tensor3d(
      Array.from({ length: 12 }, (_, i) => (i * 20) / 255),
      [2, 2, 3],
    );
    expect(await toImage(await toImageData(image))).toBeAllclose(image, { atol: 1e-6 });
  });
});
