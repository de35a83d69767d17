/// <reference types="@webgpu/types" />
import { type Command, costOf, type Gpu } from '../../src/engines/webgpu/device/gpu';
import { median } from '../timing';

/** The time of one command on the device. */
export interface KernelTime {
  readonly label: string;
  readonly milliseconds: number;
  /** GFLOP and GB a second. */
  readonly gigaflops: number;
  readonly gigabytes: number;
}

/**
 * Times each command by the device's own clock, in a pass of its own; undefined where the device has no
 * `timestamp-query`.
 */
export async function timeKernels(
  gpu: Gpu,
  commands: readonly Command[],
  rounds: number,
): Promise<readonly KernelTime[] | undefined> {
  const { device } = gpu;
  if (!device.features.has('timestamp-query')) return undefined;
  const count = 2 * commands.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const resolved = gpu.buffer(8 * count, 'stamps', GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
  const staging = gpu.buffer(8 * count, 'read', GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const bound = commands.map(({ code, label, bindings, grid }) => {
    const pipeline = gpu.pipeline(code, label);
    return { pipeline, group: gpu.group(pipeline, bindings), grid };
  });
  const times = commands.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    const encoder = device.createCommandEncoder();
    for (const [i, { pipeline, group, grid }] of bound.entries()) {
      const [beginningOfPassWriteIndex, endOfPassWriteIndex] = [2 * i, 2 * i + 1];
      const timestampWrites = { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex };
      const pass = encoder.beginComputePass({ timestampWrites });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 8 * count);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(staging.getMappedRange());
    for (const [i, own] of times.entries()) own.push(Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6);
    staging.unmap();
  }
  querySet.destroy();
  for (const buffer of [resolved, staging]) buffer.destroy();
  return commands.map((command, i) => {
    const milliseconds = median(times[i]);
    const { flop, bytes } = costOf(command);
    const perSecond = (amount: number) => (milliseconds > 0 ? amount / milliseconds / 1e6 : 0);
    return { label: command.label, milliseconds, gigaflops: perSecond(flop), gigabytes: perSecond(bytes) };
  });
}
