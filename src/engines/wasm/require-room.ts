import { EnvironmentError } from '../../errors';
import type { KernelMemory } from './runtime/kernel-memory';

/** [height, width] of an image in pixels. */
export type Size = readonly [height: number, width: number];

/** Bytes that can still be allocated. */
export const roomIn = (memory: KernelMemory): number => memory.most - memory.bytes;

/**
 * Throws `OUT_OF_MEMORY` with an estimate, and with the largest size of the same proportions that fits, unless there is
 * room.
 *
 * @param room bytes that can be allocated
 * @param what subject of the message: `'An image'`
 * @param bytesAt bytes needed for an image of a size
 */
export function requireRoomAt(
  room: number,
  what: string,
  [height, width]: Size,
  bytesAt: (size: Size) => number,
): void {
  const needed = bytesAt([height, width]);
  if (needed <= room) return;
  const scaled = (factor: number): Size => [
    Math.max(1, Math.floor(height * factor)),
    Math.max(1, Math.floor(width * factor)),
  ];
  let [fits, tooLarge] = [0, 1];
  for (let halving = 0; halving < 16; halving++) {
    const middle = (fits + tooLarge) / 2;
    if (bytesAt(scaled(middle)) <= room) fits = middle;
    else tooLarge = middle;
  }
  const [fittingHeight, fittingWidth] = scaled(fits);
  const accepted = `about ${fittingWidth} x ${fittingHeight} pixels`;
  throw new EnvironmentError(
    'OUT_OF_MEMORY',
    `${what} of ${width} x ${height} pixels takes about ${gibibytes(needed)} of memory for the wasm engine, which has ${gibibytes(room)} left of 4 GiB; accepted: ${accepted}.`,
    { option: 'size', value: needed, accepted },
  );
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
