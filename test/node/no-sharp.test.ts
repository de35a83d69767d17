import { expect, test, vi } from 'vitest';
import { readImage } from '../../src/node/read-image';

vi.mock('sharp', () => {
  throw new Error('Cannot load addon because loading addons is disabled.\nPossible solutions:');
});

test('without sharp, reading an image says why and what to install', async () => {
  await expect(readImage('photo.jpg')).rejects.toMatchObject({
    name: 'EnvironmentError',
    code: 'NO_SHARP',
    message: expect.stringContaining('npm install sharp'),
  });
});
