/** Settles when the work in progress for a key does. */
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
  for (let turn = turns.get(key); turn; turn = turns.get(key)) await unlessAborted(turn, signal);
  const done = work();
  const end = (): void => void turns.delete(key);
  turns.set(key, done.then(end, end));
  return done;
}

/** Waits for `work`; rejects with the signal's reason as soon as that is aborted. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
