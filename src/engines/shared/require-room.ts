import { EnvironmentError } from '../../errors';
import { fittingSize, type Size } from './fitting-size';

/**
 * Throws `OUT_OF_MEMORY` with an estimate, and with the largest size of the same proportions that fits, unless there is
 * room.
 *
 * @param engine its name, for the message
 * @param room bytes that can be allocated
 * @param what subject of the message: `'An image'`
 * @param bytesAt bytes needed for an image of a size
 */
export function requireRoomAt(
  engine: string,
  room: number,
  what: string,
  size: Size,
  bytesAt: (size: Size) => number,
): void {
  const needed = bytesAt(size);
  if (needed <= room) return;
  const [height, width] = size;
  const [fittingHeight, fittingWidth] = fittingSize(size, (smaller) => bytesAt(smaller) <= room);
  const accepted = `about ${fittingWidth} x ${fittingHeight} pixels`;
  throw new EnvironmentError(
    'OUT_OF_MEMORY',
    `${what} of ${width} x ${height} pixels takes about ${amount(needed)} of memory for the ${engine} engine, which may use ${amount(room)}; accepted: ${accepted}.`,
    { option: 'size', value: needed, accepted },
  );
}

const amount = (bytes: number): string =>
  bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
