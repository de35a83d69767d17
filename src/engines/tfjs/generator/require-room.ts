import { allocatableBytes } from '../../../allocation';
import { EnvironmentError } from '../../../errors';
import type { ResolvedStep } from '../../../features/generator-steps';
import type { Image } from '../../../image/image';
import { lastReaders } from './passes';

/**
 * Throws unless the maps of an image fit into what the backend can still hold: operations of tfjs compute images as a
 * whole, and tfjs-wasm has 4 GiB. Backends without a known limit are not asked.
 */
export function requireRoom(steps: readonly ResolvedStep[], [height, width]: Image['shape']): void {
  const room = allocatableBytes();
  const needed = peakBytes(steps, height * width);
  if (needed <= room) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  const accepted = "a smaller image, or engine 'wasm', which paints by bands";
  throw new EnvironmentError(
    'OUT_OF_MEMORY',
    `image has ${width}x${height} pixels, for which this generator's maps take ${gigabytes(needed)} on operations of tfjs, and tfjs-wasm has ${gigabytes(room)} left; accepted: ${accepted}.`,
    { option: 'image', value: [height, width], accepted },
  );
}

/**
 * Bytes of the maps that are held at once at most: those still read, and beside a convolution's input its padded copy.
 */
export function peakBytes(steps: readonly ResolvedStep[], pixels: number): number {
  const bytesOf = (index: number) => {
    const { channels, reduction } = steps[index] ?? { channels: 3, reduction: 1 };
    return (4 * channels * pixels) / reduction ** 2;
  };
  const last = lastReaders(steps);
  const held = new Set([-1]);
  let peak = 0;
  for (const [i, { step, inputs }] of steps.entries()) {
    held.add(i);
    const maps = [...held].reduce((sum, index) => sum + bytesOf(index), 0);
    const copy = step.op === 'conv' && step.size > 1 ? bytesOf(inputs[0]) : 0;
    peak = Math.max(peak, maps + copy);
    for (const index of [i, ...inputs]) if (last.get(index) === i) held.delete(index);
  }
  return peak;
}
