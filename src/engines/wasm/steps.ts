/** Long work that can pause between its steps. */
export type Steps<T> = Generator<unknown, T>;

/** Runs all steps synchronously. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Runs all steps, with a turn for other tasks (abort signals, Ctrl-C) between them.
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
    // Runs the `finally` blocks of the work; does nothing if it has ended.
    steps.return(undefined as T);
  }
}
