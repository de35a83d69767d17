import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import { dirname, join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Image } from '../../src/image/image';
import { keepImage } from '../../src/node/keep-image';

vi.mock('node:os', async (original) => {
  const actual = await original<typeof import('node:os')>();
  return { ...actual, tmpdir: vi.fn(actual.tmpdir), homedir: vi.fn(actual.homedir) };
});

let folder: string;
let image: Image;
const path = (name: string) => join(folder, name);

beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  const { tmpdir } = await vi.importActual<typeof import('node:os')>('node:os');
  folder = await mkdtemp(join(tmpdir(), 'keep-image-'));
  image = tf.fill([4, 6, 3], 0.5) as Image;
  await mkdir(path('temporary'));
  await mkdir(path('home'));
  vi.mocked(os.tmpdir).mockReturnValue(path('temporary'));
  vi.mocked(os.homedir).mockReturnValue(path('home'));
});
afterEach(async () => {
  image.dispose();
  vi.mocked(os.tmpdir).mockReset();
  vi.mocked(os.homedir).mockReset();
  await rm(folder, { recursive: true });
});

describe('keepImage', () => {
  test('writes into the temporary folder, under a name that tells whose it is and takes no other', async () => {
    const first = await keepImage(image, path('out.jpg'), { format: 'jpeg' });
    const second = await keepImage(image, path('out.jpg'), { format: 'jpeg' });
    expect(dirname(first ?? '')).toBe(path('temporary'));
    expect(first).toMatch(/out-[0-9a-f]{8}\.jpeg$/);
    expect(second).not.toBe(first);
    expect(await sharp(first).metadata()).toMatchObject({ format: 'jpeg', width: 6, height: 4 });
  });

  test('goes on to the next folder, and leaves nothing in those that fail', async () => {
    await rm(path('temporary'), { recursive: true });
    await writeFile(path('temporary'), 'a file in place of the folder');
    expect(dirname((await keepImage(image, path('out.png'))) ?? '')).toBe(path('home'));
  });

  test('does not try the folder again that has failed', async () => {
    expect(dirname((await keepImage(image, path('temporary/out.png'))) ?? '')).toBe(path('home'));
    expect(await readdir(path('temporary'))).toEqual([]);
  });
});
