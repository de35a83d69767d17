import { untilAborted } from '../until-aborted';

/** By key, a promise that settles with the work in progress. */
const turns = new Map<string, Promise<void>>();

/**
 * Serialises work per key, so that two loads of the same file in one process fetch it once. A caller whose key is busy
 * waits until that work settles or its own signal aborts.
 */
export async function inTurn<T>(
  key: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let turn = turns.get(key); turn; turn = turns.get(key)) await untilAborted(signal, turn);
  const done = work();
  const end = (): void => void turns.delete(key);
  turns.set(key, done.then(end, end));
  return done;
}
