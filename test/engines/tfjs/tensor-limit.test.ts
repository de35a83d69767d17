import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, test, vi } from 'vitest';
import { gpuBackend } from '../../../src/backends/gpu';
import { tensorLimit } from '../../../src/backends/tensor-limit';
import { gramBands, planRun } from '../../../src/engines/tfjs/tfjs-plan';
import { vgg19Network } from '../../../src/features/vgg19/network';
import '../../support/backends';

vi.mock('../../../src/backends/gpu');
afterEach(() => void vi.resetAllMocks());

const { steps } = vgg19Network({ lastLayer: 'conv2_1' });
const layers = ['conv1_2', 'conv2_1'] as const;

/** A device whose buffers have so many bytes. */
const buffers = (bytes: number) =>
  vi.mocked(gpuBackend).mockReturnValue({
    device: {
      lost: new Promise(() => {}),
      limits: { maxBufferSize: 2 * bytes, maxStorageBufferBindingSize: bytes },
    },
  });

test('a map that fits into a buffer is computed as a whole, a larger one in bands that fit', () => {
  // conv1_2 has 64 channels of 4 bytes at each of 100 x 50 pixels.
  buffers(100 * 50 * 256);
  expect(planRun(steps, { layers, size: [100, 50] }).tiles).toBe(1);
  buffers(100 * 50 * 256 - 1);
  const { tiles, bands = [] } = planRun(steps, { layers, size: [100, 50] });
  expect(tiles).toBeGreaterThan(1);
  for (const { rows } of bands) expect((rows.to - rows.from) * 50 * 256).toBeLessThan(100 * 50 * 256);
  expect(gramBands(steps, layers, [100, 50], {}).length).toBeGreaterThan(1);
});

test('an image of which not even a band fits is refused, with a size that does', () => {
  // A band of conv2_1 has two rows and a halo of three above and below, 8 rows in all: 8 x 16 pixels fit.
  buffers(8 * 16 * 256);
  const refused = expect.objectContaining({
    code: 'OUT_OF_MEMORY',
    option: 'backend',
    message: expect.stringMatching(/buffers of at most \d+ MiB; accepted: about 1\d x \d+ pixels/),
  });
  const plan = () => planRun(steps, { layers, size: [400, 400] });
  expect(plan).toThrow(refused);
  expect(() => gramBands(steps, layers, [400, 400], {})).toThrow(refused);
});

test('a loss that tiles cannot compute is refused where only tiles fit', () => {
  buffers(100 * 50 * 256 - 1);
  expect(() => planRun(steps, { layers, size: [100, 50], untileable: true })).toThrow(
    expect.objectContaining({ code: 'NOT_TILEABLE' }),
  );
});

test('textures limit the matrix of a convolution, unless another way of convolving is on', () => {
  vi.mocked(gpuBackend).mockReturnValue({ gpgpu: { gl: {} as WebGLRenderingContext } });
  const flags = { WEBGL_CONV_IM2COL: true, WEBGL_EXP_CONV: false };
  vi.spyOn(tf.env(), 'getNumber').mockReturnValue(1024);
  vi.spyOn(tf.env(), 'getBool').mockImplementation((name) => flags[name as keyof typeof flags]);
  // 64 x 64 positions by 9 x 64 values, four a pixel: 2048 x 288 = 768 x 768. At 96 x 96: 4608 x 288 > 1024 x 1024.
  expect(tensorLimit()?.holds(64, 64, 64, true)).toBe(true);
  expect(tensorLimit()?.holds(96, 96, 64, true)).toBe(false);
  expect(tensorLimit()?.holds(96, 96, 64, false)).toBe(true);
  flags.WEBGL_EXP_CONV = true;
  expect(tensorLimit()?.holds(96, 96, 64, true)).toBe(true);
});

test('backends of the processor have none', () => {
  vi.mocked(gpuBackend).mockReturnValue({});
  expect(tensorLimit()).toBeUndefined();
});
