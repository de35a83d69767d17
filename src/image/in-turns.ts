/** Work that can be interrupted and resumed at every `yield`. */
export type Work<T> = Generator<void, T>;

/** Longest time for which work blocks the thread, in milliseconds. */
const turnMs = 30;

/**
 * Does the work, with a turn for other tasks (abort signals, a page's events) every {@link turnMs}.
 *
 * @throws the reason of `signal`, within one turn of an abort
 */
export async function inTurns<T>(work: Work<T>, signal: AbortSignal | undefined): Promise<T> {
  let turn = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - turn < turnMs) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    turn = performance.now();
  }
}
