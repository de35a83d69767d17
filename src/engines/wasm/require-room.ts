import { EnvironmentError } from '../../errors';
import { fittingSize, type Size } from '../shared/fitting-size';
import type { KernelMemory } from './runtime/kernel-memory';

/** Bytes that work may allocate: all that is left, or fewer if the caller says so. */
export const roomIn = (memory: KernelMemory, room = Number.POSITIVE_INFINITY): number =>
  Math.min(room, memory.most - memory.bytes);

/**
 * Throws `OUT_OF_MEMORY` with an estimate, and with the largest size of the same proportions that fits, unless there is
 * room.
 *
 * @param room bytes that can be allocated
 * @param what subject of the message: `'An image'`
 * @param bytesAt bytes needed for an image of a size
 */
export function requireRoomAt(room: number, what: string, size: Size, bytesAt: (size: Size) => number): void {
  const needed = bytesAt(size);
  if (needed <= room) return;
  const [height, width] = size;
  const [fittingHeight, fittingWidth] = fittingSize(size, (smaller) => bytesAt(smaller) <= room);
  const accepted = `about ${fittingWidth} x ${fittingHeight} pixels`;
  throw new EnvironmentError(
    'OUT_OF_MEMORY',
    `${what} of ${width} x ${height} pixels takes about ${amount(needed)} of memory for the wasm engine, which may use ${amount(room)}; accepted: ${accepted}.`,
    { option: 'size', value: needed, accepted },
  );
}

const amount = (bytes: number): string =>
  bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
