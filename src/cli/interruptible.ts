import { Interrupted } from './exit-codes';
import type { Terminal } from './terminal';

/** Time in which work that has nothing to save must react to an abort. */
const patienceMilliseconds = 1000;

/** How requests to stop (Ctrl-C, SIGTERM, SIGHUP) reach a piece of work. */
export interface Attention {
  /** Aborted with an {@link Interrupted} by the first request to stop. */
  readonly signal: AbortSignal;
  /**
   * From now on the first request ends the process at once: for synchronous work, during which no listener is called,
   * with nothing to save and nothing to clean up.
   */
  leave(): void;
  /** From now on the first request aborts, and the end of the work is awaited however long it takes to save. */
  attend(): void;
}

/**
 * Runs work that the first request to stop aborts. The second request ends the process at once.
 *
 * @param onStop called at the first request
 * @returns what `work` returns
 * @throws what `work` throws; {@link Interrupted} if it has nothing to save and does not
 *   settle within a second of the abort
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
