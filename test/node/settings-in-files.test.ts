import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../../package.json';
import {
  encodeImage,
  type ImageFormat,
  readSettingsRecord,
  styleTransfer,
  useWasm,
  writeImage,
} from '../../src/node';
import type { SettingsRecord } from '../../src/transfer/settings-record';

let folder: string;
let settings: SettingsRecord;
let image: tf.Tensor3D;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  await useWasm();
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  for (const name of ['photo.png', 'painting.jpg'])
    await sharp({ create: { width: 24, height: 18, channels: 3, background: '#888', noise } }).toFile(
      path(name),
    );
  const options = { weights: 'embedded', iterations: 1 };
  ({ image, settings } = await styleTransfer(path('photo.png'), path('painting.jpg'), options));
});
afterAll(async () => {
  image.dispose();
  await rm(folder, { recursive: true });
});

const refusal = (source: string | Uint8Array) =>
  readSettingsRecord(source).then(
    () => expect.fail('should have been refused'),
    (error: unknown) => error,
  );

describe('the settings of a picture', () => {
  it.each<[string, ImageFormat]>([
    ['png', 'png'],
    ['jpg', 'jpeg'],
    ['webp', 'webp'],
    ['avif', 'avif'],
    ['tiff', 'tiff'],
  ])('come back from a file .%s, whose pixels are the same', async (extension, format) => {
    const file = path(`out.${extension}`);
    await writeImage(image, file, { settings });
    expect(await readSettingsRecord(file)).toEqual(settings);
    expect(await readSettingsRecord(await encodeImage(image, { format, settings }))).toEqual(settings);
    const pixels = (bytes: string | Uint8Array) => sharp(bytes).raw().toBuffer();
    expect(await pixels(file)).toEqual(await pixels(await encodeImage(image, { format })));
  });

  it('are text chunks of a PNG, which libpng reads: one of the software, one of JSON', async () => {
    const { comments } = await sharp(await encodeImage(image, { settings })).metadata();
    expect(comments).toEqual([
      { keyword: 'Software', text: `tfjs-style-transfer ${version}` },
      { keyword: 'tfjs-style-transfer', text: JSON.stringify(settings) },
    ]);
  });

  it('keep text of any script, and brackets', async () => {
    const named = { ...settings, network: { ...settings.network, name: 'Netz <ä> & "網"' } };
    for (const format of ['png', 'webp'] as const)
      expect(await readSettingsRecord(await encodeImage(image, { format, settings: named }))).toEqual(named);
  });

  it('come from JSON too, alone or as the field of another record', async () => {
    await writeFile(path('a.json'), `\ufeff\n${JSON.stringify(settings)}`);
    expect(await readSettingsRecord(path('a.json'))).toEqual(settings);
    expect(await readSettingsRecord(Buffer.from(JSON.stringify({ loss: 3, settings })))).toEqual(settings);
  });

  it('hold the SHA-256 of files as other programs compute it, and no name of a file or folder', async () => {
    const hash = async (name: string) =>
      createHash('sha256')
        .update(await readFile(path(name)))
        .digest('hex');
    expect(settings.content).toEqual({ sha256: await hash('photo.png'), of: 'file', width: 24, height: 18 });
    expect(settings.styles[0].sha256).toBe(await hash('painting.jpg'));
    expect(settings.decoder).toBe(`sharp ${sharp.versions.sharp}`);
    expect(JSON.stringify(settings)).not.toMatch(/photo|painting|[/\\]/);
  });

  it('are checked before they are written', async () => {
    const wrong = { ...settings, styles: 'none' } as unknown as SettingsRecord;
    await expect(encodeImage(image, { settings: wrong })).rejects.toMatchObject({
      code: 'MALFORMED_SETTINGS',
    });
  });
});

describe('a file that holds no usable settings', () => {
  /** A PNG with a chunk behind its header. */
  async function pngWith(type: string, content: Uint8Array): Promise<Uint8Array> {
    const png = await encodeImage(image);
    const { crc32 } = await import('node:zlib');
    const chunk = Buffer.alloc(content.length + 12);
    chunk.writeUInt32BE(content.length);
    chunk.write(type, 4, 'latin1');
    chunk.set(content, 8);
    chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), content.length + 8);
    return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
  }
  const text = (value: string) => Buffer.from(`tfjs-style-transfer\0${value}`, 'latin1');

  it('is refused by name', async () => {
    expect(await refusal(path('photo.png'))).toMatchObject({
      code: 'NO_SETTINGS',
      message: expect.stringContaining("photo.png' holds no settings"),
    });
  });

  it('is refused where it is neither a picture nor JSON', async () => {
    await writeFile(path('notes.txt'), 'size 64');
    expect(await refusal(path('notes.txt'))).toMatchObject({
      code: 'NO_SETTINGS',
      message: expect.stringContaining("notes.txt' is neither a picture nor JSON"),
    });
  });

  it.each([
    ['no JSON', 'settings'],
    ['a list', '[1]'],
    ['a number', '7'],
    ['another object', '{"a":1}'],
    ['nothing', ''],
  ])('is refused where the text is %s', async (_, value) => {
    expect(await refusal(await pngWith('tEXt', text(value)))).toMatchObject({
      code: 'MALFORMED_SETTINGS',
      option: 'settings',
    });
  });

  it('is refused where its text is longer than a record can be, also if that is compressed', async () => {
    const long = Buffer.alloc(2 ** 22 + 1, ' ');
    const plain = await refusal(await pngWith('tEXt', Buffer.concat([text('{'), long])));
    expect(['TOO_LARGE', 'NO_SETTINGS']).toContain((plain as { code: string }).code);
    // 64 MiB of spaces in 64 kB. libpng drops a text that is larger than its own limit.
    const bomb = deflateSync(Buffer.alloc(2 ** 26, ' '));
    const packed = await refusal(await pngWith('zTXt', Buffer.concat([text(''), Buffer.from([0]), bomb])));
    expect(['TOO_LARGE', 'NO_SETTINGS']).toContain((packed as { code: string }).code);
    expect(await refusal(Buffer.from(`{${' '.repeat(2 ** 22)}`))).toMatchObject({ code: 'TOO_LARGE' });
  });
});
