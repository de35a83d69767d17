/// <reference types="@webgpu/types" />
import { whileDeviceLasts } from '../../../backends/lost-device';
import { type Command, costOf, type Gpu } from './gpu';

/** Times commands on a device: by the GPU's clock where it has `timestamp-query`, else until a submission is done. */
export class Clock {
  private readonly queries: GPUQuerySet | undefined;
  private readonly resolved: GPUBuffer | undefined;
  private readonly read: GPUBuffer | undefined;

  constructor(private readonly gpu: Gpu) {
    const { device } = gpu;
    if (!device.features.has('timestamp-query')) return;
    this.queries = device.createQuerySet({ type: 'timestamp', count: 2 });
    this.resolved = gpu.buffer(16, 'clock', GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC);
    this.read = gpu.buffer(16, 'times', GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** Milliseconds of `repeats` runs of the commands, in as many submissions as `Pace` makes of them. */
  async time(commands: readonly Command[], repeats: number): Promise<number> {
    const { pace } = this.gpu;
    const all = Array.from({ length: repeats }, () => commands).flat();
    let ms = 0;
    for (let from = 0; from < all.length; ) {
      // What others have recorded counts neither for the pace nor for the time.
      this.gpu.submit();
      const { pass, end } = this.timedPass();
      do this.gpu.dispatch(pass, all[from++]);
      while (from < all.length && !pace.isFullWith(costOf(all[from])));
      ms += await end();
    }
    return ms;
  }

  /** A pass of its own. `end` submits it, and tells the milliseconds that it took. */
  private timedPass() {
    const { gpu, queries, resolved, read } = this;
    const encoder = gpu.device.createCommandEncoder();
    const timestampWrites = queries && {
      querySet: queries,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    };
    const pass = encoder.beginComputePass(timestampWrites && { timestampWrites });
    const end = async (): Promise<number> => {
      pass.end();
      if (queries && resolved && read) {
        encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, read, 0, 16);
      }
      const from = performance.now();
      gpu.device.queue.submit([encoder.finish()]);
      gpu.pace.submitted();
      await whileDeviceLasts(() => gpu.device.queue.onSubmittedWorkDone());
      const byProgram = performance.now() - from;
      if (!read) return byProgram;
      await whileDeviceLasts(() => read.mapAsync(GPUMapMode.READ));
      const [first, last] = new BigUint64Array(read.getMappedRange().slice(0));
      read.unmap();
      const byGpu = Number(last - first) / 1e6;
      // Some drivers reset their clock.
      return byGpu > 0 && byGpu <= byProgram ? byGpu : byProgram;
    };
    return { pass, end };
  }

  dispose(): void {
    this.queries?.destroy();
    this.resolved?.destroy();
    this.read?.destroy();
  }
}

/**
 * How often to repeat work so that it takes a time that can be measured: clocks of GPUs tell it in steps of up to a
 * tenth of a millisecond.
 *
 * @param time measures a number of repeats, in milliseconds
 * @param leastMs what they shall take
 * @param most repeats
 */
export async function enoughRepeats(
  time: (repeats: number) => Promise<number>,
  leastMs: number,
  most: number,
): Promise<number> {
  for (let repeats = 1; ; ) {
    const ms = await time(repeats);
    if (ms >= leastMs || repeats >= most) return repeats;
    // What is shorter than a step tells little, so that they grow tenfold at most.
    repeats = Math.min(most, Math.ceil(repeats * Math.min(10, (1.2 * leastMs) / ms)));
  }
}
