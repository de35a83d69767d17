import '@tensorflow/tfjs-backend-cpu';
import { crc32 } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { pngWithSettings, readPngSettings, type SettingsRecord, styleTransfer } from '../../src';
import { readSettingsRecord } from '../../src/node';

let settings: SettingsRecord;
let png: Uint8Array;

beforeAll(async () => {
  await tf.setBackend('cpu');
  const image = { data: new Uint8Array(16 * 16 * 3).fill(90), width: 16, height: 16, channels: 3 as const };
  const result = await styleTransfer(image, image, { weights: 'embedded', iterations: 1 });
  settings = result.settings;
  result.dispose();
  png = await sharp({ create: { width: 5, height: 3, channels: 3, background: '#345' } })
    .png()
    .toBuffer();
});

describe('settings in a PNG file', () => {
  it('come back, in a page and in Node, and leave the pixels as they are', async () => {
    const file = pngWithSettings(png, settings);
    expect(readPngSettings(file)).toEqual(settings);
    expect(await readSettingsRecord(Buffer.from(file))).toEqual(settings);
    expect(await sharp(file).raw().toBuffer()).toEqual(await sharp(png).raw().toBuffer());
  });

  it('replace those that the file has', async () => {
    const again = pngWithSettings(pngWithSettings(png, settings), { ...settings, backend: 'other' });
    expect(readPngSettings(again).backend).toBe('other');
    const { comments } = await sharp(again).metadata();
    expect(comments?.map(({ keyword }) => keyword)).toEqual(['Software', 'tfjs-style-transfer']);
  });

  it('are in chunks whose checksums are those of zlib', () => {
    const file = Buffer.from(pngWithSettings(png, settings));
    const at = file.indexOf('tEXttfjs');
    const end = at + 4 + file.readUInt32BE(at - 4);
    expect(file.readUInt32BE(end)).toBe(crc32(file.subarray(at, end)));
  });

  it.each<[string, () => Uint8Array, string]>([
    ['a text', () => Buffer.from('settings'), 'is no PNG file'],
    ['nothing', () => new Uint8Array(), 'is no PNG file'],
    ['the first half of a file', () => png.subarray(0, png.length >> 1), 'ends early'],
    ['a signature alone', () => png.subarray(0, 8), 'without a header'],
    ['a length beyond the file', () => Uint8Array.from([...png.subarray(0, 8), 255, 255, 255, 255]), 'early'],
  ])('are neither read from %s nor written to it', (_, bytes, problem) => {
    const refusal = { code: 'NOT_AN_IMAGE', option: 'png', message: expect.stringContaining(problem) };
    expect(() => readPngSettings(bytes())).toThrow(expect.objectContaining(refusal));
    expect(() => pngWithSettings(bytes(), settings)).toThrow(expect.objectContaining(refusal));
  });

  it('are missed by name, and checked in both directions', () => {
    expect(() => readPngSettings(png)).toThrow(expect.objectContaining({ code: 'NO_SETTINGS' }));
    const wrong = { ...settings, styles: 'none' } as unknown as SettingsRecord;
    expect(() => pngWithSettings(png, wrong)).toThrow(
      expect.objectContaining({ code: 'MALFORMED_SETTINGS' }),
    );
    const file = Buffer.from(pngWithSettings(png, settings));
    file[file.indexOf('{')] = 'x'.charCodeAt(0);
    expect(() => readPngSettings(file)).toThrow(expect.objectContaining({ code: 'MALFORMED_SETTINGS' }));
  });
});
