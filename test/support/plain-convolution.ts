import type * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { type Gpu, gpuOf } from '../../src/engines/webgpu/device/gpu';
import { type Draft, Piece, placePieces, planShelves } from '../../src/engines/webgpu/device/pieces';
import type { Tile } from '../../src/engines/webgpu/device/product';
import { TfjsDevice } from '../../src/engines/webgpu/device/tfjs-device';
import {
  type Convolutions,
  type FilterForm,
  mapDrafts,
  wayKey,
  wayOf,
} from '../../src/engines/webgpu/network/convolutions';
import { halvesOf } from '../../src/engines/webgpu/network/halves';
import type { MapKernel } from '../../src/engines/webgpu/network/map-kernel';
import { formed } from '../../src/engines/webgpu/network/network';
import type { Precision } from '../../src/engines/webgpu/network/precision';
import { Random } from '../../src/random';
import { convolutionsBy } from './convolutions';

/** Channels that fill no tile and no block. */
export const [channelsIn, channels] = [8, 12];
const size = [9, 10] as const;
const [height, width] = size;

type Arrays = Readonly<Record<string, Float32Array>>;

/** How {@link expectPlain} computes. */
interface KernelRun {
  /** @default a small one, see `convolutionsBy` */
  readonly tile?: Tile;
  /** See `Convolutions`. */
  readonly commandFlop?: number;
  readonly precision?: Precision;
  /** Numbers of 16 bits become such of 32, so that kernels of mixed precision run where a device has no 16 bits. */
  readonly widened?: boolean;
  /** Factors of the input and the filters. */
  readonly scale?: readonly [input: number, filters: number];
  /** The largest error, relative to the largest result. */
  readonly tolerance?: number;
}

/** Runs a kernel on random numbers in one form and by plain loops. */
export async function expectPlain(
  form: FilterForm,
  kernel: Omit<MapKernel, 'tile'>,
  run: KernelRun = {},
): Promise<void> {
  const { scale: [ofInput, ofFilters] = [1, 1], tolerance = 4e-6, tile, precision, commandFlop } = run;
  const { channels } = kernel;
  const inputs = kernel.convolution?.channelsIn ?? 0;
  const measured = tile && new Map([[wayKey(inputs, channels, size), { form, tile }]]);
  const convolutions = { ...convolutionsBy(form), precision, commandFlop, measured };
  expect(wayOf(convolutions, inputs, channels, size).form).toBe(form);
  const random = new Random(5);
  const values = (count: number, factor = 1) =>
    Float32Array.from({ length: count }, () => factor * random.uniform(-1, 1));
  const [map, matrix] = [height * width * channels, channels * channels];
  const symmetric = values(matrix);
  for (let i = 0; i < channels; i++)
    for (let j = 0; j < i; j++) symmetric[i * channels + j] = symmetric[j * channels + i];
  const ofResult = ofInput * ofFilters;
  const arrays = {
    input: values(height * width * inputs, ofInput),
    filters: values(9 * inputs * channels, ofFilters),
    bias: values(channels, ofResult),
    map: values(map),
    reluAdded: values(map, ofResult),
    mapAdded: values(map, ofResult),
    reluMatrix: symmetric,
    mapMatrix: symmetric,
  };
  const found = await onGpu(gpuOf(new TfjsDevice().device), convolutions, form, kernel, arrays, run);
  const wanted = plainly(kernel, arrays);
  for (const name of ['output', ...(kernel.pool ? (['pool'] as const) : [])] as const) {
    const largest = Math.max(...wanted[name].map(Math.abs));
    const worst = Math.max(...wanted[name].map((value, i) => Math.abs(value - found[name][i]))) / largest;
    expect([name, worst < tolerance ? 'close' : worst, found[name].length]).toEqual([
      name,
      'close',
      wanted[name].length,
    ]);
  }
}

/** Source and memory of a kernel with numbers of 32 bits in place of those of 16. */
function widen(drafts: readonly Draft[]): Draft[] {
  const wide = new Map<Piece, Piece>();
  const widened = (piece: Piece) => {
    if (!piece.label.endsWith(' planes')) return piece;
    const found = wide.get(piece) ?? new Piece(piece.label, 2 * piece.bytes);
    wide.set(piece, found);
    return found;
  };
  return drafts.map((draft) => ({
    ...draft,
    code: draft.code
      .replace('enable f16;', '')
      .replaceAll(/\bvec4h\b/g, 'vec4f')
      .replaceAll(/\bf16\b/g, 'f32'),
    bindings: draft.bindings.map((binding) => (binding instanceof Piece ? widened(binding) : binding)),
  }));
}

async function onGpu(
  gpu: Gpu,
  convolutions: Convolutions,
  form: FilterForm,
  kernel: Omit<MapKernel, 'tile'>,
  arrays: Arrays,
  { precision = 'float32', widened = false }: KernelRun,
) {
  const inForm = formed(arrays.filters, form);
  const { halves, exponent } = halvesOf(inForm);
  const scaled = widened ? inForm.map((value) => value / 2 ** exponent) : halves;
  const made = Object.entries({ ...arrays, filters: precision === 'mixed' ? scaled : inForm }).map(
    ([name, values]) => [name, { buffer: gpu.put(values, name) }] as const,
  );
  const pieces = Object.fromEntries(made);
  const { channels } = kernel;
  const sizes = { output: height * width * channels, pool: (height >> 1) * (width >> 1) * channels };
  const results = {
    output: new Piece('output', 4 * sizes.output),
    pool: new Piece('pool', 4 * sizes.pool),
  };
  const filters = { ...pieces.filters, ...(precision === 'mixed' && { exponent }) };
  const drafts = mapDrafts('map', convolutions, kernel, size, { ...pieces, ...results }, () => filters);
  const plan = [
    ...(widened ? widen(drafts) : drafts),
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
function plainly(kernel: Omit<MapKernel, 'tile'>, arrays: Arrays) {
  const { channels, convolution, ofRelu, mask, ofMap, pool } = kernel;
  const { channelsIn = 0 } = convolution ?? {};
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
