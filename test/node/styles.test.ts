import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FeatureExtractor } from '../../src/features';
import { loadStyle, makeStyle, saveStyle, styleTransfer, writeImage } from '../../src/node';
import { encodeStyle, loadStyle as loadStyleInPage, type StyleFile } from '../../src/styles';
import { tinyExtractor } from '../../src/testing';
import '../support/backends';
import { bundleText } from '../support/bundled-command';
import { FileServer } from '../support/file-server';
import { noise } from '../support/images';

let folder: string;
const path = (name: string) => join(folder, name);
let making: { readonly extractor: FeatureExtractor };
let options: { readonly extractor: FeatureExtractor; readonly iterations: number };

beforeAll(async () => {
  await tf.setBackend('cpu');
  making = { extractor: tinyExtractor() };
  options = { ...making, iterations: 1 };
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'styles-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A style and its file, both without names. */
const factsOf = ({ name: _, ...style }: StyleFile) => style;

describe('a style file in Node', () => {
  it('is written and read to the bit, from a path, a URL and bytes', async () => {
    await writeImage(noise(24, 20, 1), path('a.png'));
    const saved = await saveStyle(path('a.safetensors'), path('a.png'), making);
    expect(saved).toMatchObject({
      formatVersion: 1,
      network: 'tiny network',
      weights: 'random weights of seed 0',
      layers: ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1'],
      normalization: 'elements',
      pooling: 'max',
      images: 1,
      longerSide: [24, 24],
    });
    const bytes = await readFile(path('a.safetensors'));
    expect(Buffer.compare(bytes, encodeStyle(saved))).toBe(0);
    const url = pathToFileURL(path('a.safetensors'));
    for (const source of [path('a.safetensors'), url, url.href, bytes, new Blob([bytes])])
      expect(factsOf(await loadStyle(source))).toEqual(factsOf(saved));
    expect(factsOf(await loadStyle(Uint8Array.from(bytes).buffer))).toEqual(factsOf(saved));
    expect((await loadStyle(path('a.safetensors'))).name).toBe(path('a.safetensors'));
  });

  it('stands for its image in a run: by path, URL, bytes, alone and in lists', async () => {
    await writeImage(noise(24, 20, 1), path('a.png'));
    await saveStyle(path('a.safetensors'), path('a.png'), making);
    const content = noise(16, 16, 2);
    const run = async (style: Parameters<typeof styleTransfer>[1]) =>
      (await styleTransfer(content, style, options)).image.data();
    const byImage = await run(path('a.png'));
    expect(await run(path('a.safetensors'))).toEqual(byImage);
    expect(await run(pathToFileURL(path('a.safetensors')))).toEqual(byImage);
    expect(await run(await readFile(path('a.safetensors')))).toEqual(byImage);
    expect(await run([{ image: path('a.safetensors') }, { image: path('a.png'), weight: 0 }])).toEqual(
      byImage,
    );
    const mixed = await run([{ image: path('a.safetensors') }, { image: noise(16, 20, 3) }]);
    expect(mixed).not.toEqual(byImage);
  });

  it('is made of files alone without a network, and of hundreds of images without holding them', async () => {
    const files = [1, 2, 3].map((seed) => path(`${seed}.safetensors`));
    for (const [i, file] of files.entries()) await saveStyle(file, noise(16 + i, 20, i + 1), making);
    const images = [1, 2, 3].map((seed, i) => ({ image: noise(16 + i, 20, seed), weight: seed }));
    const direct = await makeStyle(images, making);
    const nowhere = { weights: 'https://no.such.host.invalid/' };
    const blended = await makeStyle(
      files.map((image, i) => ({ image, weight: i + 1 })),
      nowhere,
    );
    expect(factsOf(blended)).toEqual(factsOf(direct));

    const before = tf.memory().numTensors;
    const held: number[] = [];
    async function* many() {
      for (let i = 0; i < 200; i++) {
        held.push(tf.memory().numTensors - before);
        yield {
          image: { data: new Uint8Array(16 * 16 * 3).fill(i), width: 16, height: 16, channels: 3 as const },
        };
      }
    }
    const events: number[] = [];
    const style = await makeStyle(many(), {
      ...making,
      onProgress: (event) => void (event.type === 'style' && events.push(event.images)),
    });
    expect(style.images).toBe(200);
    expect(events).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(Math.max(...held)).toBe(0);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('stays as it was where a program is killed while it saves', async () => {
    const old = await saveStyle(path('a.safetensors'), noise(16, 16, 1), making);
    await saveStyle(path('b.safetensors'), noise(16, 16, 2), making);
    const program = await bundleText(`
      import fs from 'node:fs/promises';
      import { syncBuiltinESMExports } from 'node:module';
      import { loadStyle, saveStyle } from './src/node/styles.ts';
      const style = await loadStyle(${JSON.stringify(path('b.safetensors'))});
      fs.rename = () => { process.kill(process.pid, 'SIGKILL'); };
      syncBuiltinESMExports();
      await saveStyle(${JSON.stringify(path('a.safetensors'))}, style);`);
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'inherit'] });
    const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
    expect(signal).toBe('SIGKILL');
    expect(await readdir(folder)).toHaveLength(3);
    expect(factsOf(await loadStyle(path('a.safetensors')))).toEqual(factsOf(old));
  }, 60_000);

  it('is refused where it is missing, no style, damaged or of another version, with the reason', async () => {
    const bytes = encodeStyle(await makeStyle(noise(16, 16, 1), making));
    const load = async (content: Uint8Array) => {
      await writeFile(path('a.safetensors'), content);
      return loadStyle(path('a.safetensors')).then(
        () => undefined,
        ({ name, code, message }) => [name, code, message.replaceAll(folder, '')],
      );
    };
    const changed = (from: string, to: string) =>
      Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1');
    const malformed = (reason: string) => ['ImageError', 'MALFORMED_STYLE', expect.stringContaining(reason)];
    expect(await load(bytes)).toBeUndefined();
    expect(await load(bytes.slice(0, 500))).toEqual(
      malformed('/a.safetensors is not a usable safetensors file'),
    );
    expect(await load(changed('"formatVersion":"1"', '"formatVersion":"2"'))).toEqual(
      malformed("its formatVersion is '2'; accepted: '1'"),
    );
    expect(await load(changed('tfjs-style-transfer style', 'a weight file of no style'))).toEqual(
      malformed('its format is'),
    );
    expect(await load(changed('"images":"1"', '"images":"0"'))).toEqual(malformed("its images is '0'"));
    expect(await load(changed('gram.conv1_2', 'gram.conv1_3'))).toEqual(malformed('gram.conv1_2 is missing'));
    const infinite = bytes.slice();
    new DataView(infinite.buffer).setFloat32(infinite.length - 4, Number.POSITIVE_INFINITY, true);
    expect(await load(infinite)).toEqual(malformed('gram.conv3_1 holds a number that is not finite'));
    await expect(loadStyle(path('none.safetensors'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(loadStyle(path('a.safetensors'), { retries: 2 })).rejects.toMatchObject({
      code: 'CONFLICTING_OPTIONS',
    });
    await expect(styleTransfer(noise(16, 16, 1), path('none.safetensors'), options)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      option: 'style',
    });
  });

  it('is not written where that cannot be, which is known before any work', async () => {
    const never = () => {
      throw new Error('work has begun');
    };
    const working = { ...making, onProgress: never };
    const image = noise(16, 16, 1);
    await expect(saveStyle(path('a.png'), image, working)).rejects.toMatchObject({ code: 'UNKNOWN_FORMAT' });
    await expect(saveStyle(path('no/a.safetensors'), image, working)).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
    });
    await symlink('loop.safetensors', path('loop.safetensors'));
    await expect(saveStyle(path('loop.safetensors'), image, working)).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
    });
    await expect(saveStyle({} as never, image, working)).rejects.toMatchObject({ code: 'WRONG_TYPE' });
    expect(await readdir(folder)).toEqual(['loop.safetensors']);
  });
});

describe('a style file in a page', () => {
  it('goes to a writer or a stream, and comes from a URL', async () => {
    const style = await makeStyle(noise(16, 16, 1), making);
    const parts: Uint8Array[] = [];
    const closed: string[] = [];
    await saveStyle({ write: (bytes) => void parts.push(bytes), close: () => closed.push('writer') }, style);
    const stream = new WritableStream<Uint8Array<ArrayBuffer>>({
      write: (bytes) => void parts.push(bytes),
      close: () => void closed.push('stream'),
    });
    await saveStyle(stream, style);
    expect(parts).toEqual([encodeStyle(style), encodeStyle(style)]);
    expect(closed).toEqual(['writer', 'stream']);

    const server = await new FileServer(new Map([['my style.safetensors', encodeStyle(style)]])).start();
    try {
      const url = `${server.url}my%20style.safetensors?token=secret`;
      const loaded = await loadStyleInPage(url);
      expect(factsOf(loaded)).toEqual(factsOf(style));
      expect(loaded.name).not.toContain('secret');
      const missing = loadStyleInPage(`${server.url}none.safetensors`, { retries: 0 });
      await expect(missing).rejects.toMatchObject({
        name: 'ImageError',
        code: 'READ_FAILED',
        option: 'style',
      });
    } finally {
      await server.stop();
    }
    await expect(loadStyleInPage('mosaic.safetensors')).rejects.toMatchObject({ code: 'WRONG_TYPE' });
  });
});
