/// <reference types="@webgpu/types" />
import { whileDeviceLasts } from '../../../backends/lost-device';
import { ComputationError } from '../../../errors';
import type { Command, Gpu } from '../device/gpu';
import { placePieces, planShelves } from '../device/pieces';
import { type Convolutions, mapDrafts, wayKey } from './convolutions';
import type { TimeWay } from './tuning';

/** Values of a convolution's filters, as multiples of its pairs of channels. */
const filterValues = { taps: 9, windows2: 16, windows4: 36 } as const;

/** A measurement takes about so long, so that the way to the GPU and back counts little. */
const roundMs = 4;
const mostRepeats = 20;

/**
 * Measures ways of convolutions on a device: on maps of zeros, by the GPU's clock where the device has
 * `timestamp-query`, else by the time until a submission is done; the lesser of two rounds, after one that is not
 * counted; infinity for a way that the device does not compile. Buffers live as long as the measurement.
 *
 * @throws ComputationError `DEVICE_LOST`, or what `Gpu.requireNoReport` throws if a way's memory is not there
 */
export const timeWayOn =
  (gpu: Gpu, convolutions: Convolutions): TimeWay =>
  async ({ channelsIn, channels, size }, way) => {
    const before = gpu.reports;
    const [height, width] = size;
    const positions = height * width;
    const bytesOfFilter = convolutions.precision === 'mixed' ? 2 : 4;
    const filters = filterValues[way.form] * channelsIn * channels * bytesOfFilter;
    const sizes = {
      input: 4 * positions * channelsIn,
      filters,
      bias: 4 * channels,
      output: 4 * positions * channels,
    };
    const pieces = Object.fromEntries(
      Object.entries(sizes).map(([name, bytes]) => [name, { buffer: gpu.buffer(bytes, `tuning ${name}`) }]),
    );
    const measured = new Map([[wayKey(channelsIn, channels, size), way]]);
    const kernel = { channels, convolution: { channelsIn, relu: true, bias: true } };
    const plan = mapDrafts(
      'tuning',
      { ...convolutions, measured },
      kernel,
      size,
      pieces,
      () => pieces.filters,
    );
    const placed = placePieces(gpu, plan, planShelves(plan));
    const clock = new Clock(gpu);
    try {
      const commands = placed.phases.flat();
      if (!(await compiles(gpu, commands))) return Number.POSITIVE_INFINITY;
      const once = await clock.time(commands, 1);
      const repeats = Math.min(mostRepeats, Math.ceil(roundMs / Math.max(once, 0.1)));
      const rounds = [await clock.time(commands, repeats), await clock.time(commands, repeats)];
      gpu.requireNoReport(before);
      return Math.min(...rounds);
    } finally {
      clock.dispose();
      placed.dispose();
      for (const { buffer } of Object.values(pieces)) buffer.destroy();
    }
  };

/** Whether a device compiles commands: a driver may not have what a large tile takes. */
async function compiles(gpu: Gpu, commands: readonly Command[]): Promise<boolean> {
  try {
    await gpu.compile(commands);
    return true;
  } catch (error) {
    if (error instanceof ComputationError && error.code === 'GPU_FAILED') return false;
    throw error;
  }
}

/** Times commands on a device. */
class Clock {
  private readonly queries: GPUQuerySet | undefined;
  private readonly resolved: GPUBuffer | undefined;
  private readonly read: GPUBuffer | undefined;

  constructor(private readonly gpu: Gpu) {
    const { device } = gpu;
    if (!device.features.has('timestamp-query')) return;
    this.queries = device.createQuerySet({ type: 'timestamp', count: 2 });
    this.resolved = gpu.buffer(16, 'tuning clock', GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    this.read = gpu.buffer(16, 'tuning times', GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** Milliseconds of each of `repeats` runs of the commands. */
  async time(commands: readonly Command[], repeats: number): Promise<number> {
    const { gpu, queries, resolved, read } = this;
    gpu.submit();
    const encoder = gpu.device.createCommandEncoder();
    const timestampWrites = queries && {
      querySet: queries,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    };
    const pass = encoder.beginComputePass(timestampWrites && { timestampWrites });
    const groups = commands.map(({ code, label, bindings, grid }) => {
      const pipeline = gpu.pipeline(code, label);
      return { pipeline, group: gpu.group(pipeline, bindings), grid };
    });
    for (let i = 0; i < repeats; i++)
      for (const { pipeline, group, grid } of groups) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...grid);
      }
    pass.end();
    if (queries && resolved && read) {
      encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, read, 0, 16);
    }
    const from = performance.now();
    gpu.device.queue.submit([encoder.finish()]);
    await whileDeviceLasts(() => gpu.device.queue.onSubmittedWorkDone());
    const byProgram = performance.now() - from;
    if (!read) return byProgram / repeats;
    await whileDeviceLasts(() => read.mapAsync(GPUMapMode.READ));
    const [start, end] = new BigUint64Array(read.getMappedRange().slice(0));
    read.unmap();
    const byGpu = Number(end - start) / 1e6;
    // Some drivers reset their clock, and pages get it in steps of a tenth of a millisecond.
    return (byGpu > 0 && byGpu <= byProgram ? byGpu : byProgram) / repeats;
  }

  dispose(): void {
    this.queries?.destroy();
    this.resolved?.destroy();
    this.read?.destroy();
  }
}
