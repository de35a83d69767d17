import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import type { StyleTransferProgress } from '../../../src';
import { type Command, Gpu, gpuOf } from '../../../src/engines/webgpu/device/gpu';
import { TfjsDevice } from '../../../src/engines/webgpu/device/tfjs-device';
import { gpuSpace } from '../../../src/engines/webgpu/vectors/gpu-space';
import { createWebgpuExtractor } from '../../../src/engines/webgpu/webgpu-extractor';
import { contentLoss, styleLoss } from '../../../src/losses';
import { type NodeStyleTransferOptions, styleTransfer, useWebgpu } from '../../../src/node';
import { createObjective } from '../../../src/objective';
import { minimize } from '../../../src/optim';
import { sharingTargets, targetsInMemory } from '../../../src/transfer/style-targets';
import { convolutionsBy } from '../../support/convolutions';
import { noise } from '../../support/images';
import { hasWebgpu, onWebgpu } from '../../support/webgpu';
import { smallNetwork } from './small-network';

const pixels = (seed: number) => ({
  data: Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * seed) % 251),
  width: 16,
  height: 16,
  channels: 3 as const,
});
const refused = expect.objectContaining({ name: 'ComputationError', code: 'GPU_FAILED' });
const activeGpu = () => gpuOf(new TfjsDevice().device);
const doubling = (count: number, to: string) => `
@group(0) @binding(0) var<storage, read> from_: array<f32>;
@group(0) @binding(1) var<storage, ${to}> to_: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < ${count}u) { to_[id.x] = 2 * from_[id.x] + 1; }
}`;

describe.skipIf(!hasWebgpu)('faults of the engine webgpu', { timeout: 240_000 }, () => {
  onWebgpu({ reports: 'expected' });

  it('cuts what is recorded into short submissions, with the same numbers', async () => {
    const { device } = new TfjsDevice();
    const found: number[][] = [];
    const submissions: number[] = [];
    for (const longestMs of [100, 1e-9]) {
      const gpu = new Gpu(device, { longestMs });
      const [a, b] = [
        gpu.put(
          Float32Array.from({ length: 64 }, (_, i) => i / 7),
          'a',
        ),
        gpu.buffer(256, 'b'),
      ];
      const commands = [[a, b] as const, [b, a] as const, [a, b] as const].map(([from, to]) => ({
        label: 'doubling',
        code: doubling(64, 'read_write'),
        bindings: [{ buffer: from }, { buffer: to }],
        grid: [1, 1, 1] as const,
      }));
      gpu.record(commands);
      const staging = gpu.buffer(256, 'staging', GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
      gpu.copy({ buffer: b }, { buffer: staging }, 256);
      gpu.submit();
      await staging.mapAsync(GPUMapMode.READ);
      found.push(Array.from(new Float32Array(staging.getMappedRange())));
      submissions.push(gpu.pace.submissions);
      for (const buffer of [a, b, staging]) buffer.destroy();
    }
    expect(submissions).toEqual([1, 3]);
    expect(found[0][63]).toBeCloseTo(8 * 9 + 7);
    expect(found[1]).toEqual(found[0]);
  });

  it('compiles a kernel once, also where runs overlap or cannot wait, and its groups stay valid', async () => {
    const { device } = new TfjsDevice();
    const gpu = new Gpu(device);
    const later = vi.spyOn(device, 'createComputePipelineAsync');
    const [from, to] = [gpu.put(Float32Array.of(3), 'from'), gpu.buffer(4, 'to')];
    const command: Command = {
      label: 'doubling',
      code: doubling(1, 'read_write'),
      bindings: [{ buffer: from }, { buffer: to }],
      grid: [1, 1, 1],
    };
    const told: string[] = [];
    const onCompiled = (done: number, total: number) => void told.push(`${done}/${total}`);
    const both = Promise.all([gpu.compile([command], onCompiled), gpu.compile([command], onCompiled)]);
    gpu.record([command]);
    gpu.submit();
    await both;
    expect(told).toEqual(['0/1', '0/1', '1/1', '1/1']);
    expect(later).toHaveBeenCalledTimes(1);
    later.mockRestore();
    gpu.record([command]);
    gpu.submit();
    await device.queue.onSubmittedWorkDone();
    gpu.requireNoReport(0);
    for (const buffer of [from, to]) buffer.destroy();
  });

  it('tells which kernel does not compile, in the rejection alone', async () => {
    const gpu = new Gpu(new TfjsDevice().device);
    const compile = (code: string) => gpu.compile([{ label: 'own kernel', code }]);
    const large = '@compute @workgroup_size(65536) fn main() {}';
    // The same anew: nothing is left of the failure.
    for (const [code, said] of [
      ['fn main(', 'expected'],
      [large, 'workgroup'],
      [large, 'workgroup'],
    ]) {
      const failure = await compile(code).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'ComputationError', code: 'GPU_FAILED', option: 'engine' });
      expect((failure as Error).message).toContain('kernel own kernel: ');
      expect((failure as Error).message).toContain(said);
      expect((failure as Error).cause).toBeInstanceOf(Error);
    }
    await gpu.device.queue.onSubmittedWorkDone();
    expect(gpu.reports).toBe(0);
  });

  it('makes errors of what WebGPU reports, in the run that caused them alone', async () => {
    const gpu = activeGpu();
    const space = gpuSpace(gpu, new TfjsDevice(), [64]);
    const buffer = gpu.buffer(256, 'both');
    // A buffer that is read and written by one dispatch is refused, and with it all of the submission.
    gpu.record([
      {
        label: 'both',
        code: doubling(64, 'read_write'),
        bindings: [{ buffer }, { buffer }],
        grid: [1, 1, 1],
      },
    ]);
    const x = space.vector(new Float32Array(64).fill(2));
    const measured = () => space.measure([{ kind: 'largest', of: [x] }]);
    await expect(measured()).rejects.toMatchObject({
      name: 'ComputationError',
      code: 'GPU_FAILED',
      option: 'engine',
      message: expect.stringContaining('WebGPU refuses what the engine webgpu asks of it'),
    });
    space.close();
    buffer.destroy();
    const later = gpuSpace(gpu, new TfjsDevice(), [64]);
    const y = later.vector(new Float32Array(64).fill(2));
    expect(await later.measure([{ kind: 'largest', of: [y] }])).toEqual([[2]]);
    later.close();
  });

  it('ends a run whose targets were not computed, and no run after it', async () => {
    const extractor = createWebgpuExtractor(smallNetwork(), { convolutions: convolutionsBy('taps') });
    const [content, start] = [noise(6, 8, 1), noise(6, 8, 2)];
    const { device } = new TfjsDevice();
    const run = async (isRefused: boolean) => {
      const features = extractor.extract(content, ['conv1_1']);
      if (isRefused) device.createBuffer({ size: 4, usage: 0 });
      await device.queue.onSubmittedWorkDone();
      const loss = contentLoss(features, { layers: ['conv1_1'] });
      // As for the balance of a loss's parts.
      createObjective(extractor, loss, [6, 8]).dispose();
      const objective = createObjective(extractor, loss, [6, 8]);
      try {
        (await minimize(objective, start, { maxIterations: 1 })).x.dispose();
        tf.dispose({ ...objective.evaluate(start) } as tf.TensorContainer);
      } finally {
        // Without vectors of the engine, too.
        if (isRefused) expect(() => objective.evaluate(start)).toThrow(refused);
        tf.dispose(features);
        for (const one of [objective, loss]) one.dispose?.();
      }
    };
    await expect(run(true)).rejects.toEqual(refused);
    await run(false);
    extractor.dispose();
    tf.dispose([content, start]);
  });

  it('keeps no targets of a style that were not computed, and computes them for the next run that asks', async () => {
    const { device } = new TfjsDevice();
    const own = createWebgpuExtractor(smallNetwork(), { convolutions: convolutionsBy('taps') });
    let [computed, isRefused] = [0, true];
    const faulty: typeof own = {
      ...own,
      gramMatrices(...asked) {
        computed++;
        if (isRefused) device.createBuffer({ size: 4, usage: 0 });
        return own.gramMatrices?.(...asked) ?? {};
      },
    };
    const targets = sharingTargets(faulty, 'small', targetsInMemory());
    const style = noise(9, 11, 2);
    const gramOf = async () => {
      const grams = await targets.gramMatricesInTurns?.(style, ['conv1_1']);
      const numbers = await grams?.conv1_1?.data();
      tf.dispose({ ...grams } as tf.TensorContainer);
      return numbers;
    };
    await expect(gramOf()).rejects.toEqual(refused);
    isRefused = false;
    const found = await gramOf();
    expect(await gramOf()).toEqual(found);
    expect(computed).toBe(2);
    const wanted = { ...own.gramMatrices?.(style, ['conv1_1']) };
    expect(found).toEqual(await wanted.conv1_1?.data());
    tf.dispose([style, wanted] as tf.TensorContainer);
    own.dispose();
  });

  it('ends each of two runs that start at once, where the error may be of its targets, and no run after', async () => {
    const { device } = new TfjsDevice();
    const extractor = createWebgpuExtractor(smallNetwork(), { convolutions: convolutionsBy('taps') });
    const [content, start] = [noise(6, 8, 1), noise(6, 8, 2)];
    const lossOf = () => {
      const features = extractor.extract(content, ['conv1_1']);
      const loss = contentLoss(features, { layers: ['conv1_1'] });
      tf.dispose(features);
      return loss;
    };
    const run = async (loss: ReturnType<typeof contentLoss>) => {
      const objective = createObjective(extractor, loss, [6, 8]);
      try {
        (await minimize(objective, start, { maxIterations: 1 })).x.dispose();
      } finally {
        for (const one of [objective, loss]) one.dispose?.();
      }
    };
    const [first, second] = [lossOf(), lossOf()];
    device.createBuffer({ size: 4, usage: 0 });
    await expect(run(first)).rejects.toEqual(refused);
    // Its targets are as old as the error, which the other run has had meanwhile.
    await expect(run(second)).rejects.toEqual(refused);
    await run(lossOf());
    const failed = extractor.verified?.(async () => void device.createBuffer({ size: 4, usage: 0 }));
    await expect(failed).rejects.toEqual(refused);
    await run(lossOf());
    extractor.dispose();
    tf.dispose([content, start]);
  });

  it('ends a run whose device is lost, with the image so far, and another call takes a new device', async () => {
    // One layer, because software compiles the kernels of a convolution for seconds.
    const options: NodeStyleTransferOptions = {
      engine: 'webgpu',
      weights: 'embedded',
      loss: ({ extractor, style }) => styleLoss(extractor.extract(style, ['conv1_1'])),
    };
    let kept: { readonly loss: number; readonly values: Float32Array } | undefined;
    const lost = styleTransfer(pixels(7), pixels(11), {
      ...options,
      iterations: 1000,
      async onProgress(event) {
        if (event.type === 'step' && event.iteration === 1) new TfjsDevice().device.destroy();
        if (event.type !== 'interrupted') return;
        // The program goes on by another backend, on which the image is.
        const image = event.image();
        kept = { loss: event.loss, values: (await image.data()) as Float32Array };
        image.dispose();
      },
    });
    await expect(lost).rejects.toMatchObject({ name: 'ComputationError', code: 'DEVICE_LOST' });
    expect(kept?.loss).toBeGreaterThan(0);
    expect(kept?.values).toHaveLength(16 * 16 * 3);
    expect(new Set(kept?.values).size).toBeGreaterThan(100);
    await expect(styleTransfer(pixels(7), pixels(11), options)).rejects.toMatchObject({
      code: 'DEVICE_LOST',
    });

    const before = activeGpu();
    await useWebgpu();
    expect(tf.getBackend()).toBe('webgpu');
    expect(activeGpu()).not.toBe(before);
    const events: StyleTransferProgress[] = [];
    const onProgress = (event: StyleTransferProgress) => void events.push(event);
    const again = await styleTransfer(pixels(7), pixels(11), {
      ...options,
      iterations: 1,
      onProgress,
    });
    expect(again.engine).toBe('webgpu');
    expect(again.loss).toBeLessThan(again.history[0].loss);
    again.dispose();
    // Its kernels are compiled before the first evaluation.
    const kinds = events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]);
    expect(kinds).toEqual(['start', 'prepare', 'step']);
    const prepared = events.flatMap((event) => (event.type === 'prepare' ? [event] : []));
    expect(prepared[0].done).toBe(0);
    expect(prepared.at(-1)?.done).toBe(prepared[0].total);
  });
});
