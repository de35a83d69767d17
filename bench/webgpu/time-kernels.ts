/// <reference types="@webgpu/types" />
import { Clock, enoughRepeats } from '../../src/engines/webgpu/device/clock';
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

/** A measurement takes at least so long, in milliseconds: Dawn tells times in steps of 0.066. */
const leastMs = 5;
const mostRepeats = 1000;

/**
 * Times each command by the device's own clock, repeated in a pass of its own; undefined where the device has no
 * `timestamp-query`.
 */
export async function timeKernels(
  gpu: Gpu,
  commands: readonly Command[],
  rounds: number,
): Promise<readonly KernelTime[] | undefined> {
  if (!gpu.device.features.has('timestamp-query')) return undefined;
  const clock = new Clock(gpu);
  const found: KernelTime[] = [];
  for (const command of commands) {
    const time = (repeats: number) => clock.time([command], repeats);
    const repeats = await enoughRepeats(time, leastMs, mostRepeats);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push((await time(repeats)) / repeats);
    const milliseconds = median(times);
    const { flop, bytes } = costOf(command);
    const perSecond = (amount: number) => (milliseconds > 0 ? amount / milliseconds / 1e6 : 0);
    const speeds = { gigaflops: perSecond(flop), gigabytes: perSecond(bytes) };
    found.push({ label: command.label, milliseconds, ...speeds });
  }
  clock.dispose();
  return found;
}
