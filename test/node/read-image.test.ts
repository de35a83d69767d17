import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readImage } from '../../src/node/read-image';
import type { ImageSource } from '../../src/node/source-bytes';
import '../support/to-be-allclose';

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'read-image-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Shape and values of the image that is read, freed. */
async function read(source: ImageSource, options?: Parameters<typeof readImage>[1]) {
  const image = await readImage(source, options);
  const values = Array.from(await image.data());
  const { shape, dtype } = image;
  image.dispose();
  return { shape, dtype, values };
}

const raw = (values: number[], width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(Uint8Array.from(values), { raw: { width, height, channels } });

/** Red, green over blue, white: tells every rotation apart. */
const quarters = () => raw([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255], 2, 2, 3);

describe('readImage reads', () => {
  test('an 8-bit PNG exactly', async () => {
    await raw([0, 51, 102, 153, 204, 255], 2, 1, 3).toFile(path('rgb.png'));
    const { shape, dtype, values } = await read(path('rgb.png'));
    expect([shape, dtype]).toEqual([[1, 2, 3], 'float32']);
    expect(values).toBeAllclose([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  test('all 16 bits of a PNG that has them', async () => {
    const levels = Uint16Array.from([0, 1, 257, 30000, 65534, 65535]);
    const file = await sharp(levels, { raw: { width: 2, height: 1, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(file).metadata()).depth).toBe('ushort');
    expect((await read(file)).values).toBeAllclose(Array.from(levels, (level) => level / 65535));
  });

  test('16-bit greyscale as three equal colours', async () => {
    const file = await sharp(Uint16Array.from([0, 12345, 65535]), {
      raw: { width: 3, height: 1, channels: 1 },
    })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await sharp(file).metadata()).space).toBe('grey16');
    const expected = [0, 12345 / 65535, 1].flatMap((level) => [level, level, level]);
    expect((await read(file)).values).toBeAllclose(expected, { atol: 2 / 65535 });
  });

  test('greyscale as three equal colours', async () => {
    const file = await raw([0, 102, 255], 3, 1, 1).toColourspace('b-w').png().toBuffer();
    expect((await sharp(file).metadata()).channels).toBe(1);
    const { shape, values } = await read(file);
    expect(shape).toEqual([1, 3, 3]);
    expect(values).toBeAllclose([0, 0, 0, 0.4, 0.4, 0.4, 1, 1, 1]);
  });

  test('transparent pixels laid on white', async () => {
    // Half-transparent black is grey; what is wholly transparent is white whatever its colour.
    const file = await raw([0, 0, 0, 51, 255, 0, 0, 0, 0, 255, 0, 255], 3, 1, 4).png().toBuffer();
    expect((await read(file)).values).toBeAllclose([0.8, 0.8, 0.8, 1, 1, 1, 0, 1, 0]);
  });

  test('transparent pixels without their hidden colour when it also resizes', async () => {
    const hidden = Array.from({ length: 64 }, (_, i) => (i % 2 ? [255, 255, 255, 255] : [0, 0, 0, 0])).flat();
    const file = await raw(hidden, 8, 8, 4).png().toBuffer();
    for (const value of (await read(file, { size: 4 })).values) expect(value).toBeGreaterThan(0.99);
  });

  test.each([
    [1, [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]],
    [3, [255, 255, 255, 0, 0, 255, 0, 255, 0, 255, 0, 0]],
    [6, [0, 0, 255, 255, 0, 0, 255, 255, 255, 0, 255, 0]],
    [8, [0, 255, 0, 255, 255, 255, 255, 0, 0, 0, 0, 255]],
  ])('EXIF orientation %i turned upright', async (orientation, expected) => {
    const file = await quarters().withMetadata({ orientation }).png().toBuffer();
    expect((await sharp(file).metadata()).orientation).toBe(orientation);
    expect((await read(file)).values).toBeAllclose(expected.map((level) => level / 255));
  });

  test('a rotated JPEG at the size of the upright picture', async () => {
    await sharp({ create: { width: 80, height: 40, channels: 3, background: '#468' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(path('rotated.jpg'));
    expect((await read(path('rotated.jpg'))).shape).toEqual([80, 40, 3]);
    expect((await read(path('rotated.jpg'), { size: 20 })).shape).toEqual([20, 10, 3]);
  });

  test('CMYK as sRGB', async () => {
    const file = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#c8285a' } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(file).metadata()).space).toBe('cmyk');
    const { shape, values } = await read(file);
    expect(shape).toEqual([8, 8, 3]);
    // Printing inks reach fewer colours, so that it is the same colour only about: red, hardly green, some blue.
    expect(values[0]).toBeGreaterThan(0.7);
    expect(values[1]).toBeLessThan(0.25);
    expect(values[2]).toBeGreaterThan(0.25);
    expect(values[2]).toBeLessThan(0.5);
  });

  test.each(['jpeg', 'webp', 'avif', 'gif', 'tiff'] as const)('%s', async (format) => {
    const file = await sharp({ create: { width: 24, height: 16, channels: 3, background: '#336699' } })
      .toFormat(format)
      .toBuffer();
    const { shape, values } = await read(file);
    expect(shape).toEqual([16, 24, 3]);
    expect(values.slice(0, 3)).toBeAllclose([0.2, 0.4, 0.6], { atol: 0.03 });
  });

  test('SVG', async () => {
    const file = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>');
    expect((await read(file)).values).toEqual(Array(36).fill(1));
  });

  test('from a path, a file: URL as object and as string, a Buffer, a data: URL and an HTTP server', async () => {
    await quarters().toFile(path('a b#c.png'));
    const expected = await read(path('a b#c.png'));
    const bytes = await quarters().png().toBuffer();
    const server = createServer((_, response) => response.end(bytes)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      for (const source of [
        pathToFileURL(path('a b#c.png')),
        pathToFileURL(path('a b#c.png')).href,
        bytes,
        new Uint8Array(bytes),
        `data:image/png;base64,${bytes.toString('base64')}`,
        `http://127.0.0.1:${port}/picture`,
        new URL(`http://127.0.0.1:${port}/picture`),
      ]) {
        expect(await read(source)).toEqual(expected);
      }
    } finally {
      server.close();
    }
  });
});

describe('readImage resizes', () => {
  const wide = () =>
    sharp({ create: { width: 60, height: 30, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();

  test.each([
    [undefined, [10, 20, 3]],
    ['inside', [10, 20, 3]],
    ['outside', [20, 40, 3]],
    ['cover', [20, 20, 3]],
    ['fill', [20, 20, 3]],
  ] as const)('to size 20 with fit %s', async (fit, shape) => {
    expect((await read(await wide(), { size: 20, fit })).shape).toEqual(shape);
  });

  test('up as well, because it was asked to', async () => {
    expect((await read(await wide(), { size: 120 })).shape).toEqual([60, 120, 3]);
  });

  test('never to nothing', async () => {
    const line = await sharp({ create: { width: 400, height: 1, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    expect((await read(line, { size: 10 })).shape).toEqual([1, 10, 3]);
  });

  test('by a filter that does not alias: fine stripes become their mean', async () => {
    const stripes = Array.from({ length: 64 * 64 * 3 }, (_, i) => (Math.floor(i / 3) % 2 ? 255 : 0));
    for (const value of (await read(await raw(stripes, 64, 64, 3).png().toBuffer(), { size: 16 })).values)
      expect(value).toBeCloseTo(0.5, 1);
  });
});

describe('readImage refuses', () => {
  const refusal = (source: unknown, options?: object) =>
    readImage(source as ImageSource, options).then(
      () => expect.fail('should have been refused'),
      (error: unknown) => error,
    );

  test('a missing file, and names it', async () => {
    expect(await refusal(path('no.png'))).toMatchObject({
      name: 'ImageError',
      code: 'FILE_NOT_FOUND',
      option: 'image',
      message: `image '${path('no.png')}' does not exist.`,
    });
  });

  test('a folder', async () => {
    expect(await refusal(folder)).toMatchObject({ name: 'ImageError', code: 'NOT_A_FILE' });
  });

  test('an empty file and empty bytes', async () => {
    await writeFile(path('empty.png'), '');
    expect(await refusal(path('empty.png'))).toMatchObject({ name: 'ImageError', code: 'EMPTY' });
    expect(await refusal(Buffer.alloc(0))).toMatchObject({ name: 'ImageError', code: 'EMPTY' });
  });

  test('text that is called .png, and says what is accepted', async () => {
    await writeFile(path('notes.png'), 'Dear diary, today I am no picture.');
    expect(await refusal(path('notes.png'))).toMatchObject({
      name: 'ImageError',
      code: 'NOT_AN_IMAGE',
      accepted: 'JPEG, PNG, WebP, AVIF, GIF, TIFF or SVG',
    });
  });

  test.each(['png', 'jpeg', 'webp'] as const)('a truncated %s', async (format) => {
    const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
    const file = path(`cut.${format}`);
    const { size } = await sharp({
      create: { width: 100, height: 100, channels: 3, background: '#888', noise },
    })
      .toFormat(format)
      .toFile(file);
    await truncate(file, Math.floor(size * 0.6));
    const error = await refusal(file);
    expect(error).toMatchObject({ name: 'ImageError', code: 'DAMAGED' });
    expect((error as Error).message).toContain('truncated');
  });

  test('a header that claims 100 000 x 100 000 pixels, before decoding', async () => {
    const bytes = await quarters().png().toBuffer();
    const huge = Buffer.from(bytes);
    huge.writeUInt32BE(100_000, 16);
    huge.writeUInt32BE(100_000, 20);
    // PNG's header chunk ends with a checksum (CRC-32) of itself.
    huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
    const error = await refusal(huge);
    expect(error).toMatchObject({ name: 'ImageError', code: 'TOO_LARGE' });
    expect((error as Error).message).toContain('100000x100000');
  });

  test('a size that would be too large', async () => {
    const bytes = await quarters().png().toBuffer();
    expect(await refusal(bytes, { size: 100_000 })).toMatchObject({ name: 'ImageError', code: 'TOO_LARGE' });
  });

  test('a header without a pixel', async () => {
    const bytes = await quarters().png().toBuffer();
    const none = Buffer.from(bytes);
    none.writeUInt32BE(0, 16);
    none.writeUInt32BE(crc32(none.subarray(12, 29)), 29);
    expect(await refusal(none)).toMatchObject({ name: 'ImageError' });
  });

  test('values of other types', async () => {
    for (const source of [undefined, null, 5, {}, ['a.png']])
      expect(await refusal(source)).toMatchObject({ name: 'ImageError', code: 'NOT_AN_IMAGE' });
  });

  test('a server that has no such picture, or is not there', async () => {
    const server = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.png`;
    const found = await refusal(url);
    expect(found).toMatchObject({ name: 'ImageError', code: 'READ_FAILED' });
    expect((found as Error).message).toContain('404');
    await new Promise((resolve) => server.close(resolve));
    expect(await refusal(url)).toMatchObject({ name: 'ImageError', code: 'READ_FAILED' });
  });

  test('unknown options and values before it reads', async () => {
    expect(await refusal(path('no.png'), { sise: 5 })).toMatchObject({
      code: 'UNKNOWN_OPTION',
      option: 'sise',
    });
    expect(await refusal(path('no.png'), { size: 0 })).toMatchObject({
      code: 'OUT_OF_RANGE',
      option: 'size',
    });
    expect(await refusal(path('no.png'), { size: 5, fit: 'cove' })).toMatchObject({ code: 'UNKNOWN_NAME' });
  });

  test('all of them without leaving a tensor behind', async () => {
    const before = tf.memory().numTensors;
    await refusal(path('no.png'));
    await refusal(Buffer.from('text'));
    expect(tf.memory().numTensors).toBe(before);
  });
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
