import * as fs from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Image } from '../../src/image/image';
import { readImage } from '../../src/node/read-image';
import { encodeImage, requireWritable, writeImage } from '../../src/node/write-image';
import '../support/to-be-allclose';

vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof import('node:fs/promises')>();
  return { ...actual, rename: vi.fn(actual.rename), open: vi.fn(actual.open) };
});

let folder: string;
let image: Image;
const path = (name: string) => join(folder, name);
const failing = (code: string) => Object.assign(new Error(code), { code });

beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-image-'));
  image = tf.tensor3d(
    [0, 51, 102, 153, 204, 255].map((level) => level / 255),
    [1, 2, 3],
  );
});
afterEach(async () => {
  image.dispose();
  await rm(folder, { recursive: true });
});

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('should have been refused'),
    (error: unknown) => error,
  );

describe('writeImage', () => {
  test('writes a PNG that reads back to the bit', async () => {
    await writeImage(image, path('out.png'));
    const back = await readImage(path('out.png'));
    expect(back.shape).toEqual([1, 2, 3]);
    expect(back).toBeAllclose(image);
    back.dispose();
  });

  test.each([
    ['out.png', 'png'],
    ['out.JPG', 'jpeg'],
    ['out.jpeg', 'jpeg'],
    ['out.webp', 'webp'],
    ['out.avif', 'heif'],
    ['out.tif', 'tiff'],
    ['out.tiff', 'tiff'],
  ])('takes the format of %s from its extension', async (name, format) => {
    const plain = tf.fill([16, 16, 3], 0.4) as Image;
    await writeImage(plain, path(name));
    expect(await sharp(path(name)).metadata()).toMatchObject({ format, width: 16, height: 16 });
    const back = await readImage(path(name));
    expect(back).toBeAllclose(plain, { atol: 0.02 });
    tf.dispose([plain, back]);
  });

  test('takes the format from the option where there is one, and a file: URL', async () => {
    await writeImage(image, pathToFileURL(path('picture')), { format: 'webp' });
    expect((await sharp(path('picture')).metadata()).format).toBe('webp');
  });

  test('makes smaller files at lower quality', async () => {
    const noise = tf.randomUniform([64, 64, 3], 0, 1, 'float32', 1) as Image;
    await writeImage(noise, path('good.jpg'));
    await writeImage(noise, path('bad.jpg'), { quality: 10 });
    noise.dispose();
    expect((await stat(path('bad.jpg'))).size).toBeLessThan((await stat(path('good.jpg'))).size / 2);
  });

  test('replaces a file, keeps a link a link, and leaves no temporary file', async () => {
    await writeFile(path('real.png'), 'old');
    await symlink(path('real.png'), path('link.png'));
    await writeImage(image, path('link.png'));
    expect((await sharp(path('real.png')).metadata()).format).toBe('png');
    expect((await fs.lstat(path('link.png'))).isSymbolicLink()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['link.png', 'real.png']);
  });

  test.each([
    ['ENOSPC', 'the disk is full'],
    ['EACCES', 'permission is denied'],
    ['EROFS', 'the disk is read-only'],
  ])('leaves the old file as it was when writing fails with %s', async (code, message) => {
    await writeFile(path('out.png'), 'old');
    vi.mocked(fs.rename).mockRejectedValueOnce(failing(code));
    const error = await refusal(writeImage(image, path('out.png')));
    expect(error).toMatchObject({ name: 'ImageError', code: 'NOT_WRITABLE', option: 'path' });
    expect((error as Error).message).toContain(message);
    expect(await readFile(path('out.png'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['out.png']);
  });

  test('refuses a folder that does not exist, and does not create it', async () => {
    const error = await refusal(writeImage(image, path('no/out.png')));
    expect(error).toMatchObject({ name: 'ImageError', code: 'NOT_WRITABLE' });
    expect((error as Error).message).toContain(`there is no folder '${path('no')}'; create it first`);
    expect(await readdir(folder)).toEqual([]);
  });

  test('refuses wrong arguments before it writes', async () => {
    for (const [options, code] of [
      [{ qality: 5 }, 'UNKNOWN_OPTION'],
      [{ quality: 0 }, 'OUT_OF_RANGE'],
      [{ quality: Number.NaN }, 'OUT_OF_RANGE'],
      [{ format: 'jpg' }, 'UNKNOWN_NAME'],
    ] as const)
      expect(await refusal(writeImage(image, path('out.png'), options as object))).toMatchObject({ code });
    const flat = tf.zeros([4, 4]) as unknown as Image;
    expect(await refusal(writeImage(flat, path('out.png')))).toMatchObject({ code: 'NOT_AN_IMAGE' });
    flat.dispose();
    expect(await refusal(writeImage(image, ''))).toMatchObject({ code: 'WRONG_TYPE' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('keeps no tensor', async () => {
    const before = tf.memory().numTensors;
    await writeImage(image, path('out.png'));
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('requireWritable', () => {
  test('accepts what can be written, and leaves nothing behind', async () => {
    await writeFile(path('old.png'), 'old');
    await requireWritable(path('old.png'));
    await requireWritable(path('new.png'));
    expect(await readdir(folder)).toEqual(['old.png']);
    expect(await readFile(path('old.png'), 'utf8')).toBe('old');
  });

  test('refuses an extension without a format, and names those there are', async () => {
    expect(await refusal(requireWritable(path('out.bmp')))).toMatchObject({
      code: 'UNKNOWN_FORMAT',
      accepted: ['.png', '.jpg', '.jpeg', '.webp', '.avif', '.tif', '.tiff'],
    });
  });

  test('refuses a folder in place of a file, and a file in place of a folder', async () => {
    await mkdir(path('folder.png'));
    expect(await refusal(requireWritable(path('folder.png')))).toMatchObject({ code: 'NOT_WRITABLE' });
    await writeFile(path('file'), '');
    expect(await refusal(requireWritable(path('file/out.png')))).toMatchObject({ code: 'NOT_WRITABLE' });
  });

  test('refuses a folder where no file can be made', async () => {
    vi.mocked(fs.open).mockRejectedValueOnce(failing('EACCES'));
    expect(await refusal(requireWritable(path('out.png')))).toMatchObject({ code: 'NOT_WRITABLE' });
  });
});

describe('encodeImage', () => {
  test('gives the bytes of a PNG where no format is named, of another where one is', async () => {
    expect((await sharp(await encodeImage(image)).metadata()).format).toBe('png');
    expect((await sharp(await encodeImage(image, { format: 'webp' })).metadata()).format).toBe('webp');
  });

  test('loses nothing as TIFF', async () => {
    const back = await readImage(await encodeImage(image, { format: 'tiff' }));
    expect(back).toBeAllclose(image);
    back.dispose();
  });

  test('refuses formats that do not exist', async () => {
    expect(await refusal(encodeImage(image, { format: 'tif' as 'tiff' }))).toMatchObject({
      code: 'UNKNOWN_NAME',
      message: expect.stringContaining("did you mean 'tiff'?"),
    });
  });
});
