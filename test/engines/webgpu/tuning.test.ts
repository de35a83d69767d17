import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { webgpu } from '../../../src';
import { gpuOf } from '../../../src/engines/webgpu/device/gpu';
import { TfjsDevice } from '../../../src/engines/webgpu/device/tfjs-device';
import { shapesOfBands } from '../../../src/engines/webgpu/losses/evaluation-plan';
import { partsOfRequest, tilingOf } from '../../../src/engines/webgpu/losses/tiling';
import { tunedConvolutions } from '../../../src/engines/webgpu/losses/tuned-plan';
import { type Convolutions, wayOf } from '../../../src/engines/webgpu/network/convolutions';
import { type Stages, stagesOf } from '../../../src/engines/webgpu/network/network';
import { timeWayOn } from '../../../src/engines/webgpu/network/time-way';
import {
  candidatesOf,
  fastest,
  layerKey,
  type TimeWay,
  type Timings,
  timingsOf,
} from '../../../src/engines/webgpu/network/tuning';
import { openTuning } from '../../../src/engines/webgpu/network/tuning-file';
import { createWebgpuExtractor } from '../../../src/engines/webgpu/webgpu-extractor';
import { contentLoss } from '../../../src/losses';
import { createObjective } from '../../../src/objective';
import { memoryCache } from '../../../src/storage/byte-cache';
import { convolutionsBy } from '../../support/convolutions';
import { noise } from '../../support/images';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import { smallNetwork } from './small-network';

const graphics: Convolutions = {
  tile: { rows: 64, columns: 64, depth: 16, blockRows: 8, blockColumns: 8 },
  fused: true,
  planesFrom: 256,
  planeBytes: 2 ** 26,
};
const limits = { maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256 };
const layer = { channelsIn: 64, channels: 128, size: [32, 48] as const };
const adapter = (model: string) =>
  ({
    adapterInfo: { vendor: 'v', architecture: 'a', device: model, description: '' },
  }) as unknown as GPUDevice;

/** A device on which planes by a tile of few rows are the fastest, and windows of 2x2 the next. */
const fakeTime: TimeWay = async (_, { form, tile }) =>
  form === 'windows4'
    ? tile.rows === 64
      ? 5
      : 1 + tile.rows / 1e6
    : form === 'taps'
      ? 6 + 64 / tile.rows
      : 4;

describe('measured tuning', () => {
  it('tries what the table takes first, and what a workgroup can have', () => {
    const all = candidatesOf(graphics, layer, limits);
    expect(all[0].form).toBe('windows2');
    expect(all.map(({ form, tile }) => `${form} ${tile.rows}`)).toEqual([
      'windows2 64',
      ...['taps 64', 'windows4 64', 'taps 128', 'windows4 128', 'taps 32', 'windows4 32'],
    ]);
    const small = { ...limits, maxComputeWorkgroupStorageSize: 8192 };
    expect(candidatesOf(graphics, layer, small).map(({ tile }) => tile.rows)).not.toContain(128);
  });

  it('takes the fastest way of each shape, and measures none twice', async () => {
    const store = await openTuning(adapter('one'), 'float32', undefined);
    const told: string[] = [];
    const other = { ...layer, size: [16, 24] as const };
    const options = { convolutions: graphics, limits, time: fakeTime, store };
    const onMeasured = (done: number, total: number) => void told.push(`${done}/${total}`);
    const timings = await timingsOf([layer, other, layer], { ...options, onMeasured });
    expect(told).toHaveLength(15);
    expect([told[0], told[14]]).toEqual(['0/14', '14/14']);
    const measured = fastest(timings);
    expect(wayOf({ ...graphics, measured }, 64, 128, [32, 48])).toMatchObject({
      form: 'windows4',
      tile: { rows: 32 },
    });
    const others = fastest(timings, ({ form }) => form !== 'windows4');
    expect(others.get(layerKey(layer))).toMatchObject({ form: 'windows2' });
    // A shape that was not measured goes by the table.
    expect(wayOf({ ...graphics, measured }, 64, 128, [8, 8]).form).toBe('windows2');
    const nothing = () => Promise.reject(new Error('measured again'));
    expect(await timingsOf([other], { ...options, time: nothing, onMeasured: nothing })).toEqual(
      new Map([[layerKey(other), timings.get(layerKey(other))]]),
    );
  });

  it('leaves out ways that the device cannot compute, and layers without one', async () => {
    const store = await openTuning(adapter('one'), 'float32', undefined);
    const other = { ...layer, size: [16, 24] as const };
    const time: TimeWay = async (where, { form }) =>
      form === 'taps' && where === layer ? 3 : Number.POSITIVE_INFINITY;
    const timings = await timingsOf([layer, other], { convolutions: graphics, limits, time, store });
    expect(timings.get(layerKey(layer))?.map(({ form }) => form)).toEqual(['taps', 'taps', 'taps']);
    expect([...fastest(timings).keys()]).toEqual([layerKey(layer)]);
    expect(store.read(other)).toBeUndefined();
  });

  it('is kept in the cache for the same adapter and precision', async () => {
    const cache = memoryCache();
    const timings: Timings = [{ form: 'taps', tile: graphics.tile, milliseconds: 2 }];
    await (await openTuning(adapter('one'), 'float32', cache)).write(layer, timings);
    expect((await openTuning(adapter('one'), 'float32', cache)).read(layer)).toEqual(timings);
    expect((await openTuning(adapter('two'), 'float32', cache)).read(layer)).toBeUndefined();
    expect((await openTuning(adapter('one'), 'mixed', cache)).read(layer)).toBeUndefined();
    expect((await cache.list()).map(({ key }) => key)).toEqual([
      expect.stringMatching(/^tuning\/webgpu-[0-9a-f]{16}\.json$/),
    ]);
    // Two programs that measure different layers lose nothing of each other.
    const [one, two] = await Promise.all([1, 2].map(() => openTuning(adapter('one'), 'float32', cache)));
    const [left, right] = [8, 16].map((channels) => ({ ...layer, channels }));
    await one.write(left, timings);
    await two.write(right, timings);
    const after = await openTuning(adapter('one'), 'float32', cache);
    expect([layer, left, right].map(after.read)).toEqual([timings, timings, timings]);
  });

  it.each([
    ['no JSON', () => '{"identity":'],
    ['null', () => 'null'],
    ['another version', () => '{"identity":"x","layers":{}}'],
    ['a form that does not exist', (text: string) => text.replace('"taps"', '"tops"')],
    ['a tile that divides nothing', (text: string) => text.replace('"rows": 64', '"rows": 63')],
    ['a time that is none', (text: string) => text.replace('"milliseconds": 2', '"milliseconds": "2"')],
    ['no ways', (text: string) => text.replace(/\[.*\]/s, '[]')],
  ])('is measured anew where the file is damaged: %s', async (_, damage) => {
    const cache = memoryCache();
    const timings: Timings = [{ form: 'taps', tile: graphics.tile, milliseconds: 2 }];
    await (await openTuning(adapter('one'), 'float32', cache)).write(layer, timings);
    const [{ key }] = await cache.list();
    const text = new TextDecoder().decode(await cache.read(key));
    await cache.write(key, new TextEncoder().encode(damage(text)));
    const warnings: string[] = [];
    const store = await openTuning(adapter('one'), 'float32', cache, ({ code }) => void warnings.push(code));
    expect([store.read(layer), warnings]).toEqual([undefined, ['CACHE_CORRUPT']]);
    await store.write(layer, timings);
    expect((await openTuning(adapter('one'), 'float32', cache)).read(layer)).toEqual(timings);
  });

  it('goes on without a cache that fails', async () => {
    const broken = {
      ...memoryCache(),
      read: () => Promise.reject(new Error('no disk')),
      write: () => Promise.reject(new Error('no disk')),
    };
    const warnings: unknown[] = [];
    const store = await openTuning(adapter('one'), 'float32', broken, (one) => void warnings.push(one));
    expect(warnings).toEqual([
      { code: 'CACHE_READ_FAILED', message: 'Timings of the GPU in memory are measured anew: no disk' },
    ]);
    const timings: Timings = [{ form: 'taps', tile: graphics.tile, milliseconds: 2 }];
    await store.write(layer, timings);
    expect(store.read(layer)).toEqual(timings);
  });

  it('leaves out planes where the image would not fit with them', async () => {
    const { steps, input } = smallNetwork().network;
    const stages = stagesOf(steps, input) as Stages;
    const convolutions = { ...convolutionsBy('taps'), planeBytes: 2 ** 26 };
    const network = { stages, steps, convolutions, weights: {} as never, largest: 2 ** 30 };
    const size = [64, 64] as const;
    const layers = ['conv2_2'] as const;
    const formsIn = async (room: number) => {
      const parts = partsOfRequest(stages, { layers, size, featureTargets: layers });
      const request = { parts, layers, room };
      const { bytes, bands } = tilingOf(network, size, request);
      const shapes = shapesOfBands(stages, size, bands);
      const store = await openTuning(adapter('one'), 'float32', undefined);
      const tuning = { convolutions, limits, time: fakeTime, store };
      const { measured } = await tunedConvolutions(network, { size, bands, shapes, request, tuning });
      return { bytes, forms: [...(measured ?? [])].map(([key, { form }]) => `${key} ${form}`) };
    };
    const { bytes, forms } = await formsIn(2 ** 30);
    // Forwards and backwards, of all convolutions but the first.
    const shapes = ['8-8 64x64', '8-16 32x32', '16-8 32x32', '16-16 32x32'];
    expect(forms).toEqual(shapes.map((shape) => `${shape} windows4`));
    expect((await formsIn(bytes)).forms).toEqual(shapes.map((shape) => `${shape} taps`));
  });

  it('is asked for by name', () => {
    expect(() => webgpu({ tuning: 'measure' as never })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_NAME', option: 'tuning' }),
    );
  });
});

describe.skipIf(!hasWebgpu)('measured tuning on a device', { timeout: 300_000 }, () => {
  onWebgpu();

  it('takes for endless what the device does not compile', async () => {
    const gpu = gpuOf(new TfjsDevice().device);
    const before = gpu.reports;
    const tile = { rows: 256, columns: 256, depth: 16, blockRows: 4, blockColumns: 4 };
    const small = { channelsIn: 8, channels: 8, size: [8, 8] as const };
    const time = timeWayOn(gpu, convolutionsBy('taps'));
    expect(await time(small, { form: 'taps', tile })).toBe(Number.POSITIVE_INFINITY);
    expect(gpu.reports).toBe(before);
  });

  it('times the ways of a run before its first evaluation, and the run computes the same', async () => {
    const gpu = gpuOf(new TfjsDevice().device);
    const cache = memoryCache();
    const convolutions = convolutionsBy('taps');
    const real = timeWayOn(gpu, convolutions);
    const times: number[] = [];
    const time: TimeWay = async (layer, way) => {
      const ms = await real(layer, way);
      times.push(ms);
      // The table's way is never the fastest, so that the plan changes.
      return way.form === 'taps' ? ms + 1e6 : ms;
    };
    const [content, start] = [noise(12, 16, 1), noise(12, 16, 2)];
    const run = async (timings?: Awaited<ReturnType<typeof openTuning>>) => {
      const extractor = createWebgpuExtractor(smallNetwork(), { convolutions, timings, time });
      const features = extractor.extract(content, ['conv1_2']);
      const loss = contentLoss(features, { layers: ['conv1_2'] });
      const told: string[] = [];
      const onPreparing = (done: number, total: number) => void told.push(`${done}/${total}`);
      const objective = createObjective(extractor, loss, [12, 16], { onPreparing });
      // As a minimisation starts, without the kernels of its vectors.
      await objective.problem?.();
      const evaluation = objective.evaluate(start);
      const [value] = await evaluation.value.data();
      tf.dispose([evaluation, features] as never);
      objective.dispose();
      loss.dispose?.();
      extractor.dispose();
      return { value, told };
    };
    const plain = await run();
    const tuned = await run(await openTuning(gpu.device, 'float32', cache));
    // One pair of channels, the same both ways: nine taps and planes.
    expect(tuned.told.slice(0, 3)).toEqual(['0/2', '1/2', '2/2']);
    expect(times).toHaveLength(2);
    expect(times.every((ms) => ms > 0 && ms < 60_000)).toBe(true);
    expect(Math.abs(tuned.value / plain.value - 1)).toBeLessThan(1e-4);
    const again = await run(await openTuning(gpu.device, 'float32', cache));
    expect(times).toHaveLength(2);
    expect(again.value).toBe(tuned.value);
    tf.dispose([content, start]);
  });
});
