import type * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type Gpu, gpuOf } from '../../../src/engines/webgpu/device/gpu';
import { Piece, placePieces, planShelves } from '../../../src/engines/webgpu/device/pieces';
import { TfjsDevice } from '../../../src/engines/webgpu/device/tfjs-device';
import {
  type Convolutions,
  type FilterForm,
  formOf,
  mapDrafts,
} from '../../../src/engines/webgpu/network/convolutions';
import type { MapKernel } from '../../../src/engines/webgpu/network/map-kernel';
import { formed } from '../../../src/engines/webgpu/network/network';
import { winogradMatrices } from '../../../src/engines/webgpu/network/winograd';
import { Random } from '../../../src/random';
import { convolutionsBy } from '../../support/convolutions';
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

/** Channels that fill no tile and no block. */
const [channelsIn, channels] = [8, 12];
const [height, width] = [7, 10];

type Arrays = Readonly<Record<string, Float32Array>>;

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

/** Runs a kernel on random numbers in one form and by plain loops. */
async function expectPlain(form: FilterForm, kernel: Omit<MapKernel, 'tile'>): Promise<void> {
  expect(formOf(convolutionsBy(form), channelsIn, channels, [height, width])).toBe(form);
  const random = new Random(5);
  const values = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1));
  const [map, matrix] = [height * width * channels, channels * channels];
  const symmetric = values(matrix);
  for (let i = 0; i < channels; i++)
    for (let j = 0; j < i; j++) symmetric[i * channels + j] = symmetric[j * channels + i];
  const arrays = {
    input: values(height * width * channelsIn),
    filters: values(9 * channelsIn * channels),
    bias: values(channels),
    map: values(map),
    reluAdded: values(map),
    mapAdded: values(map),
    reluMatrix: symmetric,
    mapMatrix: symmetric,
  };
  const found = await onGpu(gpuOf(new TfjsDevice().device), form, kernel, arrays);
  const wanted = plainly(kernel, arrays);
  for (const name of ['output', ...(kernel.pool ? (['pool'] as const) : [])] as const) {
    const worst = Math.max(...wanted[name].map((value, i) => Math.abs(value - found[name][i])));
    expect([name, worst < 2e-5 ? 'close' : worst, found[name].length]).toEqual([
      name,
      'close',
      wanted[name].length,
    ]);
  }
}

async function onGpu(gpu: Gpu, form: FilterForm, kernel: Omit<MapKernel, 'tile'>, arrays: Arrays) {
  const made = Object.entries({ ...arrays, filters: formed(arrays.filters, form) }).map(
    ([name, values]) => [name, { buffer: gpu.put(values, name) }] as const,
  );
  const pieces = Object.fromEntries(made);
  const sizes = { output: height * width * channels, pool: (height >> 1) * (width >> 1) * channels };
  const results = {
    output: new Piece('output', 4 * sizes.output),
    pool: new Piece('pool', 4 * sizes.pool),
  };
  const filters = pieces.filters;
  const plan = [
    ...mapDrafts(
      'map',
      convolutionsBy(form),
      kernel,
      [height, width],
      { ...pieces, ...results },
      () => filters,
    ),
    { pieces: Object.values(results).slice(0, kernel.pool ? 2 : 1) },
  ];
  const placed = placePieces(gpu, plan, planShelves(plan));
  const tfjs = new TfjsDevice();
  gpu.record(placed.phases.flat());
  const read = async (piece: Piece) => {
    const buffer = gpu.buffer(piece.bytes, 'copy');
    gpu.copy(placed.slice(piece), { buffer }, piece.bytes);
    gpu.submit();
    const tensor = tfjs.tensorOf<tf.Rank.R1>(buffer, [piece.bytes / 4]);
    const values = await tensor.data<'float32'>();
    tensor.dispose();
    buffer.destroy();
    return Array.from(values);
  };
  const output = await read(results.output);
  const pool = kernel.pool ? await read(results.pool) : [];
  placed.dispose();
  for (const [, { buffer }] of made) buffer.destroy();
  return { output, pool };
}

/** What {@link MapKernel} says, in double precision. */
function plainly({ convolution, ofRelu, mask, ofMap, pool }: Omit<MapKernel, 'tile'>, arrays: Arrays) {
  const { input, filters, bias, map } = arrays;
  const output = new Array<number>(height * width * channels).fill(0);
  const relu = (value: number) => Math.max(0, value);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let n = 0; n < channels; n++) {
        let sum = convolution?.bias ? bias[n] : 0;
        for (let tap = 0; tap < 9; tap++) {
          const [sy, sx] = [y + Math.floor(tap / 3) - 1, x + (tap % 3) - 1];
          if (sy < 0 || sy >= height || sx < 0 || sx >= width) continue;
          for (let k = 0; k < channelsIn; k++) {
            const value = input[(sy * width + sx) * channelsIn + k];
            sum += (convolution?.relu ? relu(value) : value) * filters[(tap * channelsIn + k) * channels + n];
          }
        }
        const at = (y * width + x) * channels;
        const product = (matrix: Float32Array, ofValue: (value: number) => number) => {
          let total = 0;
          for (let k = 0; k < channels; k++) total += ofValue(map[at + k]) * matrix[k * channels + n];
          return total;
        };
        if (ofRelu?.gram) sum += product(arrays.reluMatrix, relu);
        if (ofRelu?.added) sum += arrays.reluAdded[at + n];
        if (mask && map[at + n] <= 0) sum = 0;
        if (ofMap?.gram) sum += product(arrays.mapMatrix, (value) => value);
        if (ofMap?.added) sum += arrays.mapAdded[at + n];
        output[at + n] = sum;
      }
  const [down, across] = [height >> 1, width >> 1];
  const pooled = Array.from({ length: down * across * channels }, (_, i) => {
    const [y, x, n] = [Math.floor(i / channels / across), Math.floor(i / channels) % across, i % channels];
    const window = [0, 1, 2, 3].map((k) =>
      relu(output[((2 * y + (k >> 1)) * width + 2 * x + (k & 1)) * channels + n]),
    );
    return pool === 'max' ? Math.max(...window) : window.reduce((a, b) => a + b) / 4;
  });
  return { output, pool: pooled };
}
