/// <reference types="@webgpu/types" />
import { ComputationError } from '../../../errors';
import { Clock, enoughRepeats } from '../device/clock';
import type { Command, Gpu } from '../device/gpu';
import { placePieces, planShelves } from '../device/pieces';
import { type Convolutions, mapDrafts, wayKey } from './convolutions';
import type { TimeWay } from './tuning';

/** Values of a convolution's filters, as multiples of its pairs of channels. */
const filterValues = { taps: 9, windows2: 16, windows4: 36 } as const;

/** A measurement takes at least so long, so that neither steps of the GPU's clock nor the way to it count much. */
const roundMs = 4;
const mostRepeats = 200;

/**
 * Measures ways of convolutions on a device: on maps of zeros, by the GPU's clock where the device has
 * `timestamp-query`, else by the time until a submission is done; the lesser of two rounds, after those that tell how
 * often to repeat it; infinity for a way that the device does not compile. Buffers live as long as the measurement.
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
      const time = (repeats: number) => clock.time(commands, repeats);
      const repeats = await enoughRepeats(time, roundMs, mostRepeats);
      const rounds = [await time(repeats), await time(repeats)];
      gpu.requireNoReport(before);
      return Math.min(...rounds) / repeats;
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
