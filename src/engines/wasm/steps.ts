/** Long work that can pause between its steps. */
export type Steps<T> = Generator<void, T>;

/** Does all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Does all steps, with a turn for other tasks (abort signals, Ctrl-C) between them.
 *
 * @throws the signal's reason once it is aborted; the work is ended then
 */
export async function finishInTurns<T>(steps: Steps<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = steps.next();
      if (done) return value;
      await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    // Runs what the work has in its own `finally`; nothing happens where it has ended.
    steps.return(undefined as T);
  }
}
