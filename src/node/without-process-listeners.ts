const events = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Runs `work` and removes the process-wide listeners that it leaves: tfjs' wasm module installs some that rethrow every
 * error and rejection of the whole program, which ends programs that handle their own.
 */
export async function withoutProcessListeners<T>(work: () => Promise<T>): Promise<T> {
  const before = events.map((event) => process.rawListeners(event));
  try {
    return await work();
  } finally {
    events.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (!before[i].includes(listener)) process.off(event, listener as () => void);
      }
    });
  }
}
