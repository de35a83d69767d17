import type { Bytes } from '../storage/byte-store';
import { sha256 } from '../storage/sha256';
import { readFrom } from './stores';

/**
 * SHA-256 of a file; undefined if it cannot be read.
 *
 * @throws the signal's reason once it is aborted
 */
export async function hashNow(place: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return await sha256((await readFrom('input', place, { signal })) as Bytes);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
