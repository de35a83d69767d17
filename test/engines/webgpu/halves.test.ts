import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadVgg19, webgpu } from '../../../src';
import { createTfjsExtractor } from '../../../src/engines/tfjs/tfjs-extractor';
import { activeDevice } from '../../../src/engines/webgpu/device/tfjs-device';
import { halvesOf } from '../../../src/engines/webgpu/network/halves';
import { createWebgpuExtractor } from '../../../src/engines/webgpu/webgpu-extractor';
import { contentLoss, styleLoss, sum, weighted } from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { convolutionsBy } from '../../support/convolutions';
import { noise } from '../../support/images';
import { channels, channelsIn, expectPlain } from '../../support/plain-convolution';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import { smallNetwork } from './small-network';

describe('numbers of 16 bits', () => {
  const bitsOf = (...values: number[]) => {
    const { halves, exponent } = halvesOf(Float32Array.from(values));
    return { bits: Array.from(new Uint16Array(halves.buffer)), exponent };
  };

  it('are the nearest ones, ties to even', () => {
    // 1 + k / 1024 are neighbours between 1 and 2, here all divided by 2.
    const [tie, below, above] = [1 + 1 / 2048, 1 + 0.9 / 2048, 1 + 1.1 / 2048];
    expect(bitsOf(1.5, -1.5, tie, below, above, 1 + 3 / 2048)).toEqual({
      bits: [0x3a00, 0xba00, 0x3800, 0x3800, 0x3801, 0x3802],
      exponent: 1,
    });
    // A number just below a power of two becomes it.
    expect(bitsOf(1, 0.99999).bits).toEqual([0x3c00, 0x3c00]);
  });

  it('are zero and subnormal ones, too', () => {
    const unit = 2 ** -24;
    expect(bitsOf(1, 0, -0, unit, -3 * unit, unit / 2, 0.51 * unit, unit / 64).bits).toEqual([
      0x3c00, 0, 0x8000, 1, 0x8003, 0, 1, 0,
    ]);
    expect(bitsOf(1, 2 ** -14, 2 ** -14 - unit, 1.5 * unit).bits).toEqual([0x3c00, 0x0400, 0x03ff, 2]);
  });

  it('are scaled by a power of two, so that none is greater than 1', () => {
    expect(bitsOf(1000, -500)).toEqual({ bits: [0x3bd0, 0xb7d0], exponent: 10 });
    expect(bitsOf(2 ** -40, 0)).toEqual({ bits: [0x3c00, 0], exponent: -40 });
    expect(bitsOf(0, 0)).toEqual({ bits: [0, 0], exponent: 0 });
  });
});

const convolution = { channelsIn, relu: true, bias: true };
const terms = { gram: false, added: true };
const everything = {
  channels,
  convolution: { ...convolution, bias: false },
  ofRelu: terms,
  mask: true,
  ofMap: terms,
};

describe.skipIf(!hasWebgpu)('a convolution in mixed precision', { timeout: 120_000 }, () => {
  onWebgpu();
  let has = false;
  beforeAll(() => {
    has = activeDevice()?.features.has('shader-f16') === true;
    if (!has) console.warn('skipped: convolutions of 16 bits (no shader-f16 on this adapter)');
  });

  // With numbers of 32 bits in place of those of 16, kernels are exact: what they compute is tested on every device.
  describe.each(['taps', 'windows2', 'windows4'] as const)('by %s, widened to 32 bits', (form) => {
    // Beyond what 16 bits hold in both directions: 1e6, and gradients of 1e-9.
    it.each([[1e6, 30] as const, [1e-9, 1e-3] as const])(
      'is a convolution, input up to %f',
      async (...scale) => {
        const run = { precision: 'mixed', widened: true, scale } as const;
        await expectPlain(form, everything, run);
        if (form !== 'windows2') await expectPlain(form, { channels, convolution, pool: 'max' }, run);
      },
    );
  });

  it('is refused before any work on a device without 16 bits, and under another name', async () => {
    const { features } = activeDevice() as GPUDevice;
    const spied = vi.spyOn(features, 'has').mockReturnValue(false);
    const engine = webgpu({ precision: 'mixed' });
    await expect(loadVgg19({ weights: 'embedded', engine })).rejects.toMatchObject({
      code: 'ENGINE_UNSUPPORTED',
      option: 'engine',
      message: expect.stringContaining(
        "needs a device with WebGPU's feature shader-f16, or precision: 'float32'",
      ),
    });
    expect(webgpu().unsupported()).toBeUndefined();
    spied.mockRestore();
    expect(() => webgpu({ precision: 'half' as never })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_NAME', option: 'precision' }),
    );
  });

  describe('on a device with 16 bits', () => {
    it.each(['taps', 'windows2', 'windows4'] as const)('is close: %s', async (form) => {
      if (!has) return;
      for (const scale of [
        [1e6, 30],
        [1e-9, 1e-3],
      ] as const)
        await expectPlain(form, everything, { precision: 'mixed', scale, tolerance: 5e-3 });
    });

    it.each(['taps', 'windows4'] as const)('is a part of losses and gradients: %s', async (form) => {
      if (!has) return;
      const network = smallNetwork();
      const exact = createTfjsExtractor(network);
      const mixed = createWebgpuExtractor(network, {
        convolutions: convolutionsBy(form),
        precision: 'mixed',
      });
      const [content, style, image] = [noise(18, 23, 1), noise(9, 11, 2), noise(18, 23, 3)];
      const features = [exact.extract(content, ['conv2_2']), exact.extract(style, ['conv1_1', 'conv2_1'])];
      // Weights that take gradients far beyond what 16 bits hold.
      const loss = sum([weighted(1e9, contentLoss(features[0])), weighted(3e10, styleLoss(features[1]))]);
      const found = [];
      for (const extractor of [exact, mixed]) {
        const objective = createObjective(extractor, loss, [18, 23]);
        const evaluation = objective.evaluate(image);
        const [value] = await evaluation.value.data();
        found.push({ value, gradient: await evaluation.gradient.data() });
        tf.dispose(evaluation as never);
        objective.dispose();
      }
      const [theirs, ours] = found;
      expect(Math.abs(ours.value / theirs.value - 1)).toBeLessThan(1e-3);
      const error = ours.gradient.map((g, k) => g - theirs.gradient[k]);
      // Where rounding changes a sign or a maximum, the gradient jumps.
      const distance = Math.hypot(...error) / Math.hypot(...theirs.gradient);
      expect(distance).toBeLessThan(form === 'taps' ? 0.04 : 0.15);
      tf.dispose([content, style, image, features] as never);
      for (const one of [exact, mixed, loss]) one.dispose?.();
    });
  });
});
