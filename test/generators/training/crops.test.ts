import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImageError } from '../../../src/errors';
import { cropAt, deviation } from '../../../src/generators/training/crops';
import { givenPictures } from '../../../src/generators/training/given-pictures';
import { cachedPictures } from '../../../src/generators/training/picture-cache';
import type { Pictures } from '../../../src/generators/training/pictures';
import { proceduralPictures } from '../../../src/generators/training/procedural-pictures';
import { type ImageInput, imageReader } from '../../../src/image/to-image';
import '../../support/backends';

beforeAll(() => tf.setBackend('cpu'));

/** One picture whose red is x and whose green is y, in 8 bits. */
const ramp = (width: number, height: number): Pictures => ({
  count: 1,
  identity: 'ramp',
  at: async () => {
    const data = new Uint8Array(3 * width * height);
    for (let i = 0; i < width * height; i++) {
      data[3 * i] = Math.round((255 * (i % width)) / (width - 1));
      data[3 * i + 1] = Math.round((255 * Math.floor(i / width)) / (height - 1));
    }
    return { data, width, height };
  },
});

describe('cropAt', () => {
  it('depends on seed and step alone', async () => {
    const at = (seed: number, step: number) => cropAt(ramp(90, 60), { seed, step, size: 32 });
    const [first, other, again, seeded] = [await at(1, 5), await at(1, 6), await at(1, 5), await at(2, 5)];
    expect(again).toEqual(first);
    expect(other.data).not.toEqual(first.data);
    expect(seeded.data).not.toEqual(first.data);
    expect([first.width, first.height, first.data.length]).toEqual([32, 32, 3072]);
    expect(first.data.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it('mirrors about half of the crops, never upside down', async () => {
    let mirrored = 0;
    for (let step = 0; step < 60; step++) {
      const { data } = await cropAt(ramp(90, 60), { seed: 3, step, size: 16 });
      const at = (x: number, y: number, c: number) => data[3 * (16 * y + x) + c];
      // Red rises to the right, green downwards, but where recolouring has cut them off.
      if (at(12, 8, 0) < at(3, 8, 0)) mirrored++;
      expect(at(8, 12, 1)).toBeGreaterThanOrEqual(at(8, 3, 1));
    }
    expect(mirrored).toBeGreaterThan(15);
    expect(mirrored).toBeLessThan(45);
  });

  it('enlarges only pictures that are smaller than the crop', async () => {
    const { width, height } = await cropAt(ramp(20, 24), { seed: 1, step: 0, size: 32 });
    expect([width, height]).toEqual([32, 32]);
  });

  it('leaves flat crops out, and says so where there is nothing else', async () => {
    const flat: Pictures = {
      count: 2,
      identity: 'flat',
      at: async (index) =>
        index === 0
          ? { data: new Uint8Array(3 * 40 * 40).fill(90), width: 40, height: 40 }
          : ramp(40, 40).at(0),
    };
    for (let step = 0; step < 10; step++)
      expect(deviation(await cropAt(flat, { seed: 1, step, size: 16 }))).toBeGreaterThan(0.08);
    const onlyFlat = { ...flat, count: 1 };
    await expect(cropAt(onlyFlat, { seed: 1, step: 0, size: 16 })).rejects.toMatchObject({
      code: 'TOO_FLAT',
      option: 'images',
    });
  });
});

describe('proceduralPictures', () => {
  it('are drawn from their seed, each kind with contrast', async () => {
    const pictures = proceduralPictures(7, 64);
    for (let i = 0; i < 8; i++) {
      const { data, width, height } = await pictures.at(i);
      expect([width, height, data.length]).toEqual([256, 256, 3 * 256 * 256]);
      expect(deviation({ data: Float32Array.from(data, (value) => value / 255) })).toBeGreaterThan(0.02);
    }
    expect(await proceduralPictures(7, 64).at(1)).toEqual(await pictures.at(1));
    expect((await proceduralPictures(8, 64).at(1)).data).not.toEqual((await pictures.at(1)).data);
    expect(proceduralPictures(8, 64).identity).not.toBe(pictures.identity);
  });
});

describe('cachedPictures', () => {
  it('makes a picture once while there is room, and again where there is none', async () => {
    const at = vi.fn(async (index: number) => ({
      data: new Uint8Array(12).fill(index),
      width: 2,
      height: 2,
    }));
    const pictures = cachedPictures({ count: 3, identity: 'test', at }, 24);
    for (const index of [0, 1, 0, 1]) expect((await pictures.at(index)).data[0]).toBe(index);
    expect(at).toHaveBeenCalledTimes(2);
    await pictures.at(2);
    await pictures.at(1);
    expect(at).toHaveBeenCalledTimes(3);
    await pictures.at(0);
    expect(at).toHaveBeenCalledTimes(4);
  });
});

const given = (images: readonly ImageInput[], onUnreadable: (why: ImageError) => void = () => {}) =>
  givenPictures(imageReader, images, { signal: new AbortController().signal, onUnreadable });

describe('givenPictures', () => {
  it("are the caller's, reduced to 640 pixels at their shorter side, and leave no tensor", async () => {
    const large = {
      data: new Uint8Array(3 * 800 * 700).fill(51),
      width: 800,
      height: 700,
      channels: 3 as const,
    };
    const small = {
      data: new Uint8Array(3 * 20 * 30).fill(102),
      width: 20,
      height: 30,
      channels: 3 as const,
    };
    const before = tf.memory().numTensors;
    const pictures = await given([large, small]);
    const [first, second] = [await pictures.at(0), await pictures.at(1)];
    expect([first.width, first.height, first.data[0]]).toEqual([731, 640, 51]);
    expect([second.width, second.height, second.data[0]]).toEqual([20, 30, 102]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('stand in for those that cannot be read, which are told once, while there is one that can', async () => {
    const good = { data: new Uint8Array(3 * 8 * 8).fill(9), width: 8, height: 8, channels: 3 as const };
    const told: (string | undefined)[] = [];
    const pictures = await given([good, {} as never, {} as never], ({ option }) => told.push(option));
    for (const index of [1, 2, 0, 1]) expect((await pictures.at(index)).data[0]).toBe(9);
    expect(told).toEqual(['images[1]', 'images[2]']);
    const none = await given([{} as never, {} as never]);
    await expect(none.at(0)).rejects.toMatchObject({ option: 'images[1]' });
  });
});
