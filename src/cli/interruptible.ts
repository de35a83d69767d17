import { Interrupted } from './exit-codes';
import type { Terminal } from './terminal';

/** How long work that has nothing to save may take to hear an abort. */
const patienceMilliseconds = 1000;

/** How work that Ctrl-C can interrupt is attended to. Requests to stop are Ctrl-C, SIGTERM and SIGHUP. */
export interface Attention {
  /** Aborted with an {@link Interrupted} by the first request to stop. */
  readonly signal: AbortSignal;
  /**
   * Leaves requests to the system, which ends the process at once: for work that has nothing to save and nothing to clean up, and may
   * be too busy to hear.
   */
  leave(): void;
  /** Hears requests again. There is something to save from now on, so that the end of the work is waited for after an abort. */
  attend(): void;
}

/**
 * Does work that the first request to stop aborts; the second ends the process at once.
 *
 * @param onStop called at the first request
 * @returns what `work` returns
 * @throws what `work` throws; {@link Interrupted} if it has nothing to save and does not hear the abort within a second
 */
export async function interruptible<T>(
  terminal: Terminal,
  work: (attention: Attention) => Promise<T>,
  onStop: () => void = () => {},
): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  let hasSomethingToSave = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let giveUp: (reason: Interrupted) => void = () => {};
  const deaf = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const listen = () =>
    terminal.onStop((name) => {
      if (signal.aborted) return;
      const reason = new Interrupted(name);
      onStop();
      controller.abort(reason);
      timer = setTimeout(() => hasSomethingToSave || giveUp(reason), patienceMilliseconds);
    });
  let release: (() => void) | undefined = listen();
  const attention: Attention = {
    signal,
    leave() {
      signal.throwIfAborted();
      release?.();
      release = undefined;
    },
    attend() {
      hasSomethingToSave = true;
      release ??= listen();
    },
  };
  try {
    return await Promise.race([work(attention), deaf]);
  } finally {
    clearTimeout(timer);
    release?.();
  }
}
