import type { Size } from '../shared/fitting-size';
import { requireRoomAt as requireRoomOf } from '../shared/require-room';
import type { KernelMemory } from './runtime/kernel-memory';

/** Bytes that work may allocate: all that is left, or fewer if the caller says so. */
export const roomIn = (memory: KernelMemory, room = Number.POSITIVE_INFINITY): number =>
  Math.min(room, memory.most - memory.bytes);

/** {@link requireRoomOf} for this engine. */
export const requireRoomAt = (
  room: number,
  what: string,
  size: Size,
  bytesAt: (size: Size) => number,
): void => requireRoomOf('wasm', room, what, size, bytesAt);
