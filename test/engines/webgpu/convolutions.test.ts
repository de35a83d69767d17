import { describe, expect, it } from 'vitest';
import { convolutionsOf } from '../../../src/engines/webgpu/network/adapters';
import { type Convolutions, formOf } from '../../../src/engines/webgpu/network/convolutions';
import { winogradMatrices } from '../../../src/engines/webgpu/network/winograd';
import { Random } from '../../../src/random';
import { convolutionsBy } from '../../support/convolutions';
import { channels, channelsIn, expectPlain } from '../../support/plain-convolution';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';

describe("Winograd's matrices", () => {
  it.each([2, 4] as const)('make %i results of a convolution along a line', (m) => {
    const { at, g, bt } = winogradMatrices(m);
    const random = new Random(m);
    const [input, filter] = [m + 2, 3].map((count) =>
      Array.from({ length: count }, () => random.uniform(-1, 1)),
    );
    const times = (matrix: readonly (readonly number[])[], vector: readonly number[]) =>
      matrix.map((row) => row.reduce((sum, factor, i) => sum + factor * vector[i], 0));
    const transformed = times(g, filter);
    const found = times(
      at,
      times(bt, input).map((value, i) => value * transformed[i]),
    );
    for (const [i, value] of found.entries())
      expect(value).toBeCloseTo(
        filter.reduce((sum, w, k) => sum + w * input[i + k], 0),
        12,
      );
  });
});

describe('the form of a convolution', () => {
  const convolutions: Convolutions = { ...convolutionsBy('windows4'), fused: true, planesFrom: 128 };

  it('is 4x4 results from a number of channels on, unless the map is too small for it', () => {
    expect(formOf(convolutions, 128, 256, [64, 64])).toBe('windows4');
    expect(formOf(convolutions, 64, 128, [64, 64])).toBe('windows2');
    expect(formOf(convolutions, 512, 512, [2, 2])).toBe('windows2');
    expect(formOf({ ...convolutions, fused: false }, 64, 128, [64, 64])).toBe('taps');
  });
});

describe('the convolutions of an adapter', () => {
  /** As Dawn tells of it. */
  const planesFrom = (vendor: string, architecture: string, description: string) =>
    convolutionsOf({ adapterInfo: { vendor, architecture, description } } as GPUDevice).planesFrom;

  it('go by its vendor, and by the architecture or the model where these tell them apart', () => {
    for (const model of ['H100 80GB HBM3', 'H200', 'GH200 480GB'])
      expect(planesFrom('nvidia', '', `NVIDIA ${model}`)).toBe(128);
    expect(planesFrom('nvidia', 'lovelace', 'NVIDIA GeForce RTX 4090')).toBe(256);
    expect(planesFrom('nvidia', '', '')).toBe(256);
    expect(planesFrom('amd', '', 'H100')).toBe(256);
    expect(planesFrom('google', 'swiftshader', '')).toBe(4);
    expect(convolutionsOf({} as GPUDevice).planesFrom).toBe(256);
  });
});

describe.skipIf(!hasWebgpu)('a convolution on the GPU', { timeout: 120_000 }, () => {
  onWebgpu();

  // Software compiles the fused kernel in seconds: it is tested once, with all that it can do.
  it.each(['taps', 'windows2', 'windows4'] as const)(
    'has bias, terms, mask and pooling: %s',
    async (form) => {
      const terms = { gram: false, added: true };
      const convolution = { channelsIn, relu: true, bias: true };
      await expectPlain(form, {
        channels,
        convolution,
        ofRelu: terms,
        mask: true,
        ofMap: terms,
        pool: 'max',
      });
    },
  );

  it.each(['taps', 'windows2'] as const)('is the same in several commands: %s', async (form) => {
    const terms = { gram: false, added: true };
    const convolution = { channelsIn, relu: true, bias: true };
    const kernel = { channels, convolution, ofRelu: terms, mask: true, ofMap: terms, pool: 'max' } as const;
    await expectPlain(form, kernel, { commandFlop: 1 });
  });

  // What GPUs take: tiles of the table and of tuning, channels that fill them, and those of the fused kernel.
  it.each([
    ['taps', 64],
    ['taps', 128],
    ['windows4', 64],
    ['windows2', 32],
  ] as const)('has the blocks of a GPU: %s, %d', async (form, rows) => {
    const convolution = { channelsIn: 16, relu: true, bias: true };
    const tile = { rows, columns: 64, depth: 16, blockRows: 8, blockColumns: 8 };
    const kernel = { channels: form === 'windows2' ? 32 : 64, convolution, mask: true, pool: 'max' } as const;
    await expectPlain(form, kernel, { tile });
  });

  describe.each(['taps', 'windows4'] as const)('by %s', (form) => {
    it('pools by averages', async () => {
      const convolution = { channelsIn, relu: true, bias: true };
      await expectPlain(form, { channels, convolution, pool: 'average' });
    });

    it('goes on as products with matrices', async () => {
      const convolution = { channelsIn, relu: false, bias: false };
      const ofRelu = { gram: true, added: true };
      await expectPlain(form, {
        channels,
        convolution,
        ofRelu,
        mask: true,
        ofMap: { gram: true, added: true },
      });
    });
  });
});
