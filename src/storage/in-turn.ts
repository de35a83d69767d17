/** What is being done for each key, in this process. */
const turns = new Map<string, Promise<void>>();

/**
 * Does one thing at a time for each key: whoever comes while something is being done for it waits, as long as the own signal
 * lets it, and goes on when that is done, aborted or failed. So two loads at once of the same weights do not both fetch them.
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

function unlessAborted(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    void turn.then(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
  });
}
