import { expect, test, vi } from 'vitest';
import { readImage } from '../../src/node/read-image';

vi.mock('sharp', () => {
  throw new Error("Cannot find package 'sharp'");
});

test('without sharp, reading an image says what to install', async () => {
  await expect(readImage('photo.jpg')).rejects.toMatchObject({
    name: 'EnvironmentError',
    code: 'NO_SHARP',
    message: expect.stringContaining('npm install sharp'),
  });
});
