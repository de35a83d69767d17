import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { loadVgg19 as loadAnywhere, styleTransfer as styleTransferAnywhere } from '../../src';
import { loadVgg19, styleTransfer } from '../../src/node';

const pixels = { data: new Uint8Array(20 * 16 * 3).fill(99), width: 20, height: 16, channels: 3 } as const;

// In this order: a backend that has been set up stays.
test('without a backend, the calls of the main entry say how to get one', async () => {
  const error = { code: 'NO_BACKEND', message: expect.stringContaining('tf.setBackend') };
  await expect(styleTransferAnywhere(pixels, pixels)).rejects.toMatchObject(error);
  await expect(loadAnywhere()).rejects.toMatchObject(error);
});

test('without a backend, those of ./node start wasm', async () => {
  const extractor = await loadVgg19({ weights: 'embedded', engine: 'tfjs' });
  expect(tf.getBackend()).toBe('wasm');
  extractor.dispose();
  const result = await styleTransfer(pixels, pixels, { weights: 'embedded', iterations: 1, threads: 1 });
  expect(result).toMatchObject({ backend: 'wasm', engine: 'wasm', threads: 1, embedded: true });
  expect(result.image.shape).toEqual([16, 20, 3]);
  result.dispose();
});
