/**
 * What `work` gives, or the signal's reason as soon as it aborts: for work that cannot be stopped, such as a system
 * call that waits. What it comes to after that is dropped.
 */
export async function untilAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    // The race also takes note of a failure of `work` after an abort, so that it does not count as unhandled.
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
