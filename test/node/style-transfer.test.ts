import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeatureExtractor } from '../../src/features/extractor';
import { evaluate as evaluateAnywhere } from '../../src/metrics';
import { evaluate, styleTransfer, useWasm } from '../../src/node';
import { tinyExtractor } from '../../src/testing';

let folder: string;
let extractor: FeatureExtractor;
const path = (name: string) => join(folder, name);
const settings = () => ({ extractor, iterations: 2, size: 24 });

beforeAll(async () => {
  await useWasm();
  extractor = tinyExtractor();
  folder = await mkdtemp(join(tmpdir(), 'style-transfer-'));
  const noise = { type: 'gaussian', mean: 128, sigma: 50 } as const;
  for (const [name, width, height] of [
    ['content.png', 90, 60],
    ['style.png', 50, 70],
  ] as const)
    await sharp({ create: { width, height, channels: 3, background: '#888', noise } }).toFile(path(name));
});
afterAll(async () => {
  extractor.dispose();
  await rm(folder, { recursive: true });
});

describe('styleTransfer of ./node', () => {
  test('takes paths, URLs, bytes and pixels, and gives the same for all', async () => {
    const before = tf.memory().numTensors;
    const forms = async (name: string) => [
      path(name),
      pathToFileURL(path(name)),
      await sharp(path(name)).png().toBuffer(),
    ];
    const contents = await forms('content.png');
    const styles = await forms('style.png');
    const losses: number[] = [];
    for (const [i, content] of contents.entries()) {
      const result = await styleTransfer(content, styles[i], 1, 1e5, settings());
      expect(result.image.shape).toEqual([16, 24, 3]);
      losses.push(result.loss);
      result.dispose();
    }
    expect(losses).toEqual([losses[0], losses[0], losses[0]]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('says of what is no image that files are accepted too', async () => {
    await expect(styleTransfer(5 as never, path('style.png'), settings())).rejects.toMatchObject({
      code: 'NOT_AN_IMAGE',
      message: expect.stringMatching(
        /^content is 5; accepted: a path, a URL or the bytes of an image file, a tensor /,
      ),
    });
  });

  test('takes both forms of its arguments', async () => {
    const [content, style] = [path('content.png'), path('style.png')];
    const first = await styleTransfer(content, style, 2, 1e4, settings());
    const second = await styleTransfer(content, style, { ...settings(), alpha: 2, beta: 1e4 });
    expect(second.loss).toBe(first.loss);
    first.dispose();
    second.dispose();
  });

  test('starts from an image file, and still knows names', async () => {
    const [content, style] = [path('content.png'), path('style.png')];
    for (const init of [path('style.png'), pathToFileURL(path('style.png')), 'noise'] as const)
      (await styleTransfer(content, style, { ...settings(), init })).dispose();
    await expect(styleTransfer(content, style, { ...settings(), init: 'nois' })).rejects.toMatchObject({
      code: 'UNKNOWN_NAME',
      option: 'init',
    });
    await expect(styleTransfer(content, style, { ...settings(), init: 'no.png' })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      option: 'init',
    });
  });

  test('names the argument whose file is wrong', async () => {
    await expect(styleTransfer(path('no.png'), path('style.png'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      option: 'content',
    });
    await expect(styleTransfer(path('content.png'), path('no.png'))).rejects.toMatchObject({
      option: 'style',
    });
  });

  test('checks options before it reads a file', async () => {
    for (const options of [{ sise: 3 }, { iterations: 0 }, { preset: 'x' }])
      await expect(styleTransfer(path('no.png'), path('no.png'), options as object)).rejects.toMatchObject({
        name: 'InvalidArgumentError',
      });
    await expect(styleTransfer(path('no.png'), path('no.png'), 1, -1)).rejects.toMatchObject({
      option: 'beta',
    });
    await expect(styleTransfer(path('no.png'), path('no.png'), 'x' as never)).rejects.toMatchObject({
      name: 'InvalidArgumentError',
    });
  });

  test('an abort that has already happened reads nothing', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(
      styleTransfer(path('content.png'), path('style.png'), { ...settings(), signal }),
    ).rejects.toBe(reason);
  });
});

test('evaluate of ./node gives for files what evaluate gives for their pixels', async () => {
  const pixels = async (name: string) => {
    const { data, info } = await sharp(path(name)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return { data: new Uint8Array(data), width: info.width, height: info.height, channels: 3 as const };
  };
  const found = await evaluate({ image: path('content.png'), style: path('style.png') });
  expect(found.content).toBeUndefined();
  expect(found).toEqual(
    await evaluateAnywhere({ image: await pixels('content.png'), style: await pixels('style.png') }),
  );
  await expect(evaluate({ image: path('no.png'), style: path('style.png') })).rejects.toMatchObject({
    option: 'image',
  });
});
