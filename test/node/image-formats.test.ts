import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { readImage } from '../../src/node/read-image';
import { referenceFile } from '../support/reference-image';
import { hasShared, shared } from '../support/shared';

/** Files made by scripts/reference/images.py, with the colours that Pillow and lcms2 find in them. */
interface Reference {
  readonly file: string;
  /** The code of the error that reading it ends with. */
  readonly refused?: string;
  /** Pixels of a patch's side; a patch is looked at in its middle. */
  readonly block: number;
  /** Of a colour, in 255ths. */
  readonly tolerance: number;
  /** Red, green and blue of each patch in [0,1], row by row. */
  readonly rgb: readonly number[];
}

const folder = referenceFile('images');
const references = JSON.parse(readFileSync(join(folder, 'images.json'), 'utf8')) as Reference[];
const isRefused = ({ refused }: Reference) => refused !== undefined;

beforeAll(() => tf.setBackend('cpu'));

async function colours(path: string, block: number): Promise<number[]> {
  const image = await readImage(path);
  const [height, width] = image.shape;
  const values = await image.data();
  image.dispose();
  const found: number[] = [];
  for (let y = block >> 1; y < height; y += block) {
    for (let x = block >> 1; x < width; x += block)
      found.push(...values.subarray((y * width + x) * 3, (y * width + x) * 3 + 3));
  }
  return found;
}

describe('readImage gives the sRGB colours of', () => {
  test.each(references.filter((entry) => !isRefused(entry)))(
    '$file',
    async ({ file, block, tolerance, rgb }) => {
      const found = await colours(join(folder, file), block);
      expect(found).toHaveLength(rgb.length);
      const worst = found.reduce((max, value, i) => Math.max(max, Math.abs(value - rgb[i]) * 255), 0);
      expect(worst).toBeLessThanOrEqual(tolerance);
    },
  );
});

describe('readImage refuses, and names the file and what is accepted,', () => {
  test.each(references.filter(isRefused))('$file', async ({ file, refused }) => {
    const error = await readImage(join(folder, file)).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: 'ImageError', code: refused, accepted: expect.any(String) });
    expect((error as Error).message).toContain(file);
  });

  test.each([
    ['grey-float16.tif', '16-bit floating point numbers'],
    ['rgb-float32.tif', '32-bit floating point numbers'],
    ['rgb-int16.tif', '16-bit signed whole numbers'],
    ['grey-uint32.tif', '32-bit whole numbers'],
    ['rgb8-five-channels.tif', '5 channels'],
  ])('%s by its kind of numbers: %s', async (file, words) => {
    await expect(readImage(join(folder, file))).rejects.toThrow(words);
  });
});

describe.skipIf(!hasShared('cases'))('files that were read wrongly once', () => {
  const path = (name: string) => shared(`cases/${name}`);

  test.each([
    ['rgb16_srgb.png', [200, 80, 40]],
    ['rgb16_adobe.png', [230, 79, 32]],
    ['g16_icc.png', [119.3, 119.3, 119.3]],
  ])('%s', async (name, expected) => {
    const found = await colours(path(name), 1);
    for (const [i, value] of found.entries())
      expect(Math.abs(value * 255 - expected[i % 3])).toBeLessThan(0.5);
  });

  test.each(['f32_gray.tif', 'i16.tif', 'five.tif', 'photo.heic'])('%s is refused by name', async (name) => {
    const error = await readImage(path(name)).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: 'ImageError', code: 'UNSUPPORTED_FORMAT' });
    expect((error as Error).message).toContain(name);
  });

  test('photo.heic comes with a way out', async () => {
    await expect(readImage(path('photo.heic'))).rejects.toThrow(/HEIC.*JPEG, PNG/);
  });
});
