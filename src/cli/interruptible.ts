import { Interrupted } from './exit-codes';
import type { StopSignal, Terminal } from './terminal';

/** How long work that has nothing to save may take to hear an abort. */
const patienceMilliseconds = 1000;

/** What work that Ctrl-C can interrupt gets. */
export interface Attention {
  /** Aborted with an {@link Interrupted} by the first request to stop. */
  readonly signal: AbortSignal;
  /** Says that there is something to save from now on, so that the end of the work is waited for after an abort. */
  worthWaiting(): void;
}

/**
 * Does work that Ctrl-C, SIGTERM or SIGHUP aborts.
 *
 * @param onStop called at the first request; the second ends the process at once
 * @returns what `work` returns
 * @throws what `work` throws; {@link Interrupted} if it has nothing to save and does not hear the abort within a second
 */
export async function interruptible<T>(
  terminal: Terminal,
  work: (attention: Attention) => Promise<T>,
  onStop: (signal: StopSignal) => void = () => {},
): Promise<T> {
  const controller = new AbortController();
  let worthWaiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const { promise: deaf, reject: giveUp } = withReject();
  const release = terminal.onStop((signal) => {
    if (controller.signal.aborted) return;
    const reason = new Interrupted(signal);
    onStop(signal);
    controller.abort(reason);
    timer = setTimeout(() => worthWaiting || giveUp(reason), patienceMilliseconds);
  });
  try {
    return await Promise.race([
      work({
        signal: controller.signal,
        worthWaiting() {
          worthWaiting = true;
        },
      }),
      deaf,
    ]);
  } finally {
    clearTimeout(timer);
    release();
  }
}

function withReject(): { readonly promise: Promise<never>; readonly reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<never>((_, rejectPromise) => {
    reject = rejectPromise;
  });
  return { promise, reject };
}
